"""A file as the result of a call."""

from attrs import field, frozen

from comfydeploy.models.document import Shown


@frozen(kw_only=True, repr=False)
class MediaFile(Shown):
    """The bytes of a file and its media type; ``content`` is empty where they were written to a file of yours.

    ``size`` is in bytes.
    """

    content_type: str
    size: int
    content: bytes = field(default=b"", repr=False)
