"""The outputs of a run."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class MediaItem(Document):
    """An output file of a run.

    ``type`` is the folder of ComfyUI (``output``, ``temp``), not a MIME type. The address of a private file is
    signed and expires after about an hour: read the run again for a new one. ``upload_duration`` is in seconds.
    """

    url: str
    type: str
    filename: str
    is_public: bool | None = None
    subfolder: str | None = None
    upload_duration: float | None = None


@frozen(kw_only=True, repr=False)
class WorkflowRunOutputModel(Document):
    """The output of one node of the graph.

    ``data`` has a list for each kind (``images``, ``files``, ``gifs``, ``text``, ...): files as ``MediaItem``, and
    anything else (text, booleans, a file that does not fit ``MediaItem``) as the server sent it; if it sent no object
    it is empty and ``raw`` has the value. ``output_id`` is the name that the workflow's author gave the output. A time
    that cannot be read is ``None``; ``raw`` has its text.
    """

    id: str
    run_id: str
    data: dict[str, list[MediaItem | Any] | Any] = field(factory=dict[str, "list[MediaItem | Any] | Any"])
    output_id: str | None = None
    node_meta: Any = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    type: str | None = None
    node_id: str | None = None

    @property
    def files(self) -> list[MediaItem]:
        """All files of all kinds, in the order of the server."""
        return [item for _, item in self.files_by_kind]

    @property
    def files_by_kind(self) -> list[tuple[str, MediaItem]]:
        """All files, each with its kind, in the order of the server."""
        lists: list[tuple[str, list[Any]]] = [
            (kind, items) for kind, items in self.data.items() if isinstance(items, list)
        ]
        return [(kind, item) for kind, items in lists for item in items if isinstance(item, MediaItem)]
