"""A file as the result of a call."""

from attrs import field, frozen


@frozen(kw_only=True)
class MediaFile:
    """The bytes of a file and its media type; ``content`` is empty where they were written to a file of yours.

    ``size`` is in bytes.
    """

    content_type: str
    size: int
    content: bytes = field(default=b"", repr=False)
