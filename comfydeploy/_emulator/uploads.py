"""The files that clients have uploaded, and which ones are accepted."""

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.media import media_type

LARGEST: Final = 250 * 1024 * 1024
_ACCEPTED: Final = ("image/", "video/", "audio/", "application/")
_NAME: Final = re.compile(r"(img|vid|audio|zip|file)_[1-9A-Za-z]{16}(\.[A-Za-z0-9]{1,16})?")


def is_accepted(filename: str) -> bool:
    """Return whether a file of this name may be uploaded."""
    return media_type(filename).startswith(_ACCEPTED)


class Uploads:
    """The uploaded files, all in one folder, under names that the server chooses."""

    def __init__(self, folder: Folder, ids: Ids) -> None:
        self._folder: Final = folder
        self._ids: Final = ids

    def keep(self, filename: str, content: BinaryIO) -> tuple[str, str]:
        """Copy a file one piece at a time; return its id and its new name."""
        file_id = f"{_prefix(media_type(filename))}_{self._ids.word(16)}"
        name = file_id + PurePosixPath(filename).suffix
        if not _NAME.fullmatch(name):
            name = file_id
        path = self._folder.path / "inputs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as kept:
            shutil.copyfileobj(content, kept)
        return file_id, name

    def path(self, name: str) -> Path | None:
        """Return the path of a file, if the server has chosen this name."""
        if not _NAME.fullmatch(name):
            return None
        path = self._folder.path / "inputs" / name
        return path if path.is_file() else None


def _prefix(kind: str) -> str:
    if kind == "application/zip":
        return "zip"
    return {"image": "img", "video": "vid", "audio": "audio"}.get(kind.partition("/")[0], "file")
