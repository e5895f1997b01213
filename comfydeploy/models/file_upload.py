"""The response to an uploaded file."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class FileUploadResponse(Document):
    """The address of the file: ``file_url`` is the value for an image input."""

    file_url: str
    file_id: str | None = None
    file_name: str | None = None
    message: str | None = None
