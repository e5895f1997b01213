"""Models that a search has found on other sites."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class FoundModel(Document):
    """A file of a model: ``provider`` is the site that has it, ``save_path`` the folder of ComfyUI for it.

    ``size`` is in bytes.
    """

    name: str | None = None
    type: str | None = None
    provider: str | None = None
    filename: str | None = None
    save_path: str | None = None
    size: int | None = None
    download_url: str | None = None
    reference_url: str | None = None
