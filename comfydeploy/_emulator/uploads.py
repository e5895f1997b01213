"""The files that clients have uploaded, and which ones are taken."""

import re
import secrets
import shutil
from mimetypes import MimeTypes
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

LARGEST: Final = 250 * 1024 * 1024
_TAKEN: Final = ("image/", "video/", "audio/", "application/")
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NAME: Final = re.compile(r"(img|vid|audio|zip|file)_[1-9A-Za-z]{16}(\.[A-Za-z0-9]{1,16})?")

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
    """Tell the type of a file by its name, as the real server does; an unknown one is binary."""
    return _TYPES.guess_type(filename)[0] or "application/octet-stream"


def is_taken(filename: str) -> bool:
    """Tell whether a file of this name may be uploaded."""
    return media_type(filename).startswith(_TAKEN)


class Uploads:
    """The uploaded files, flat in ``folder``, under names of the server's own."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def keep(self, filename: str, content: BinaryIO) -> tuple[str, str]:
        """Copy a file piece by piece; returns its id and the name that it is kept under."""
        file_id = f"{_prefix(media_type(filename))}_{''.join(secrets.choice(_ALPHABET) for _ in range(16))}"
        name = file_id + PurePosixPath(filename).suffix
        if not _NAME.fullmatch(name):
            name = file_id
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / name).open("xb") as kept:
            shutil.copyfileobj(content, kept)
        return file_id, name

    def path(self, name: str) -> Path | None:
        """Return where a file is, if this name is one that was given."""
        path = self._folder / name
        return path if _NAME.fullmatch(name) and path.is_file() else None


def _prefix(kind: str) -> str:
    if kind == "application/zip":
        return "zip"
    return {"image": "img", "video": "vid", "audio": "audio"}.get(kind.partition("/")[0], "file")
