"""Assets: files and folders that an account keeps at the service."""

from datetime import datetime

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class Asset(Document):
    """A file or a folder: ``path`` is its place, ``url`` the address of a file, which an image input takes.

    The service gives a file an id and a place of its own; ``name`` is the name from the upload. The address of a
    private file expires after about an hour.
    """

    id: str
    name: str | None = None
    is_folder: bool | None = None
    path: str | None = None
    url: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    user_id: str | None = None
    org_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted: bool | None = None


@frozen(kw_only=True, repr=False)
class DeleteAssetResponse(Document):
    """The response to a deletion."""

    message: str | None = None
