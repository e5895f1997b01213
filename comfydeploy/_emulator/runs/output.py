"""The outputs of a run, and their JSON."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from comfydeploy._emulator.clock import to_microseconds, to_milliseconds
from comfydeploy._emulator.media import plain_name


class OutputFile(BaseModel):
    """An output file of a run; its bytes are in the store, under its run and its name."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    filename: Annotated[str, AfterValidator(plain_name)]
    upload_duration: float
    subfolder: str = ""
    type: str = "output"


# A file where it can be one, else any value of JSON: texts and booleans are what the real server has.
OutputItem: TypeAlias = Annotated[OutputFile | Any, Field(union_mode="left_to_right")]


class Output(BaseModel):
    """The output of one node: lists of files and texts by kind (``images``, ``files``, ``gifs``, ``text``, ...).

    The address of a file depends on how the client reaches the server, so it is not kept.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    id: str
    output_id: str | None
    run_id: str
    node: str
    node_class: str
    data: dict[str, list[OutputItem]]
    created_at: datetime

    @property
    def files(self) -> list[OutputFile]:
        """The files of all kinds."""
        return [item for items in self.data.values() for item in items if isinstance(item, OutputFile)]

    def url(self, file: OutputFile, base: str) -> str:
        """Return the address of a file of the server at ``base``."""
        return f"{base}outputs/runs/{self.run_id}/{quote(file.filename)}"

    def output_json(self, base: str) -> dict[str, Any]:
        """Return the output as ``GET /run/{run_id}`` has it."""
        moment = to_microseconds(self.created_at)
        return {
            "id": self.id,
            "output_id": self.output_id,
            "run_id": self.run_id,
            "data": self._data(base, "url", "type", "filename", "is_public", "subfolder", "upload_duration"),
            "node_meta": self._node_meta(),
            "created_at": moment,
            "updated_at": moment,
            "type": None,
            "node_id": None,
        }

    def event_json(self, base: str) -> dict[str, Any]:
        """Return the output as the events of a stream have it."""
        return self._data(base, "filename", "subfolder", "type", "output_id", "url", "upload_duration", "is_public")

    def webhook_json(self, base: str) -> dict[str, Any]:
        """Return the output as webhooks have it."""
        moment = to_milliseconds(self.created_at)
        return {
            "data": self._data(
                base, "url", "type", "filename", "is_public", "output_id", "subfolder", "upload_duration"
            ),
            "run_id": self.run_id,
            "created_at": moment,
            "node_meta": self._node_meta(),
            "id": self.id,
            "updated_at": moment,
            "output_id": self.output_id,
        }

    def _data(self, base: str, *keys: str) -> dict[str, Any]:
        return {kind: [self._item(item, base, keys) for item in items] for kind, items in self.data.items()}

    def _item(self, item: OutputItem, base: str, keys: tuple[str, ...]) -> Any:
        if not isinstance(item, OutputFile):
            return item
        values = {**item.model_dump(), "url": self.url(item, base), "is_public": True}
        if self.output_id is not None:
            values["output_id"] = self.output_id
        return {key: values[key] for key in keys if key in values}

    def _node_meta(self) -> dict[str, str]:
        # The real server names the class only of nodes whose output is not uploaded.
        return {"node_id": self.node} if self.files else {"node_id": self.node, "node_class": self.node_class}


class InternalOutput(BaseModel):
    """An output row that ``GET /run/{run_id}`` leaves out: why a run failed, or how long its nodes took."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    id: str
    data: Any
    created_at: datetime

    def row_json(self, run_id: str) -> dict[str, Any]:
        """Return the output as the rows of a workflow's runs have it."""
        moment = to_milliseconds(self.created_at)
        return {
            "data": self.data,
            "run_id": run_id,
            "created_at": moment,
            "id": self.id,
            "node_meta": None,
            "updated_at": moment,
        }
