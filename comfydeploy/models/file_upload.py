"""The answer to an uploaded file."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class FileUploadResponse(Document):
    """Where the file is: ``file_url`` is what an image input takes."""

    file_url: str
    file_id: str | None = None
    file_name: str | None = None
    message: str | None = None
