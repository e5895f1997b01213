"""The outputs of the nodes of a ComfyUI, copied to this server."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.comfyui.client import ComfyUI
from comfydeploy._emulator.documents import is_list, json_object
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.machine.life import Upload
from comfydeploy._emulator.media import media_type
from comfydeploy._emulator.runs.output import InternalOutput, Output, OutputFile
from comfydeploy._emulator.runs.run import Run

_PREVIEW_3D: Final = "Preview3D"


@dataclass(frozen=True)
class Outputs:
    """Copies the outputs of the nodes of one run to ``folder``."""

    comfyui: ComfyUI
    run: Run
    base: str
    folder: Path
    clock: Clock
    ids: Ids
    _names: set[str] = field(default_factory=set[str])

    async def fetched(self, node: str, node_class: str, made: dict[str, Any]) -> tuple[dict[str, Any], Upload | None]:
        """Fetch the output of a node; return it as the event of the stream, and as the run lists it, if it does."""
        listed = {kind: items if is_list(items) else [items] for kind, items in made.items()}
        if node_class.startswith(_PREVIEW_3D):
            listed = {kind: [_mesh(item) for item in items] for kind, items in listed.items()}
        found = {kind: [await self._fetched(item) for item in items] for kind, items in listed.items()}
        files = [item for items in found.values() for item in items if isinstance(item, OutputFile)]
        raw = [item for items in listed.values() for item in items]
        output = Output(
            id=self.ids.uuid(),
            output_id=next((item["output_id"] for item in raw if _is_file(item) and "output_id" in item), None),
            run_id=self.run.id,
            node=node,
            node_class=node_class,
            data=_by_type(files) or found,
            created_at=self.clock.now(),
        )
        event_data = {
            kind: [self._event_data(output, one, item) for one, item in zip(found[kind], items, strict=True)]
            for kind, items in listed.items()
        }
        # Previews are in the stream only.
        if not files and (not made or any(map(_is_file, raw))):
            return event_data, None
        return event_data, Upload(output, {file.filename: self.folder / file.filename for file in files})

    def internal(self, data: dict[str, Any]) -> InternalOutput:
        """Return an output row that keeps the reason of a failure."""
        return InternalOutput(id=self.ids.uuid(), data=data, created_at=self.clock.now())

    async def _fetched(self, item: Any) -> Any:
        if not _is_file(item) or item.get("type") == "temp":
            return item
        name = re.split(r"[/\\]", item["filename"])[-1]
        if name in self._names:
            # Two folders of ComfyUI's may hold files of one name.
            name = f"{len(self._names)}_{name}"
        self._names.add(name)
        begun = self.clock.now()
        await self.comfyui.fetch(item, self.folder / name)
        return OutputFile(
            filename=name,
            upload_duration=(self.clock.now() - begun).total_seconds(),
            subfolder=item.get("subfolder") or "",
            type=item.get("type") or "output",
        )

    def _event_data(self, output: Output, one: Any, item: Any) -> Any:
        if not isinstance(one, OutputFile):
            return item
        kept = {"filename": one.filename, "upload_duration": one.upload_duration}
        return {**item, **kept, "url": output.url(one, self.base), "is_public": True}


def _mesh(item: Any) -> Any:
    """Return the file that a preview of a mesh names by its path below the output folder."""
    if not isinstance(item, str) or not media_type(item).startswith("model/"):
        return item
    folder, _, name = item.replace("\\", "/").rpartition("/")
    return {"filename": name, "subfolder": folder, "type": "output"}


def _is_file(item: Any) -> bool:
    return isinstance(json_object(item).get("filename"), str)


def _by_type(files: list[OutputFile]) -> dict[str, list[Any]]:
    """Sort files as the service lists them, whatever ComfyUI calls them: pictures, and all others."""
    sorted_files: dict[str, list[Any]] = {}
    for file in files:
        kind = "images" if media_type(file.filename).startswith("image/") else "files"
        sorted_files.setdefault(kind, []).append(file)
    return sorted_files
