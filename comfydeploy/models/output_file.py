"""A file of a run, with the output that it belongs to."""

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from comfydeploy.models.document import Shown
from comfydeploy.models.run_output import WorkflowRunOutputModel


@frozen(kw_only=True, repr=False)
class OutputFile(Shown):
    """An output file of a run, for ``file_download``.

    ``kind`` is the list of the output that has it: ``images``, ``gifs``, ``files``, ... ``output_id`` is the name that
    the workflow's author gave the output, ``node_id`` the node of the graph, where the server sends it. ``type`` is the
    folder of ComfyUI (``output``, ``temp``). The address of a private file expires after about an hour.
    """

    url: str
    filename: str
    kind: str
    output_id: str | None = None
    node_id: str | None = None
    subfolder: str | None = None
    type: str | None = None


def output_files(outputs: Iterable[WorkflowRunOutputModel]) -> list[OutputFile]:
    """Return the files of all outputs, in the order of the server."""
    return [
        OutputFile(
            url=item.url,
            filename=item.filename,
            kind=kind,
            output_id=output.output_id,
            node_id=_node_id(output),
            subfolder=item.subfolder,
            type=item.type,
        )
        for output in outputs
        for kind, item in output.files_by_kind
    ]


def _node_id(output: WorkflowRunOutputModel) -> str | None:
    if output.node_id is not None:
        return output.node_id
    meta: Any = output.node_meta
    named = meta.get("node_id") if isinstance(meta, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON of any shape
    return str(named) if isinstance(named, str | int) else None
