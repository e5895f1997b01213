"""Media types and file names."""

from mimetypes import MimeTypes
from typing import Final

# Python's own list only: what this computer has installed must not decide.
_TYPES: Final = MimeTypes()
for _suffix, _type in {
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".obj": "model/obj",
    ".ogg": "audio/ogg",
    ".stl": "model/stl",
    ".webp": "image/webp",
}.items():
    _TYPES.add_type(_type, _suffix)


def media_type(filename: str) -> str:
    """Return the media type of a file by its name, as the real server does; an unknown one is binary."""
    return _TYPES.guess_type(filename)[0] or "application/octet-stream"


def plain_name(name: str) -> str:
    """Return a file's name, which must not lead out of its folder."""
    if name in {"", ".", ".."} or set(name) & set("/\\\0"):
        raise ValueError(f"a file needs a plain name, without a folder: {name!r}")
    return name
