"""The files that clients have uploaded, and which ones are accepted."""

import re
import secrets
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
    """The uploaded files of a kind, all in one folder, under names that the server chooses."""

    def __init__(self, folder: Folder, ids: Ids, kind: str = "inputs") -> None:
        self._folder: Final = folder
        self._ids: Final = ids
        self._kind: Final = kind

    def name(self, filename: str, kind: str) -> tuple[str, str]:
        """Choose the id and the new name of a file of a media type."""
        file_id = f"{_prefix(kind)}_{self._ids.word(16)}"
        name = file_id + PurePosixPath(filename).suffix
        return file_id, name if _NAME.fullmatch(name) else file_id

    def keep(self, filename: str, content: BinaryIO) -> tuple[str, str]:
        """Copy a file one piece at a time; return its id and its new name."""
        file_id, name = self.name(filename, media_type(filename))
        with self._place(name).open("xb") as kept:
            shutil.copyfileobj(content, kept)
        return file_id, name

    def draft(self) -> Path:
        """Return a new path for a file that is still to come."""
        return self._place(f"{secrets.token_hex(16)}.part")

    def finish(self, draft: Path, name: str) -> None:
        """Move a file that has come to its name; it replaces one of this name."""
        draft.replace(self._place(name))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        self._place(name).unlink(missing_ok=True)

    def path(self, name: str) -> Path | None:
        """Return the path of a file, if the server has chosen this name."""
        if not _NAME.fullmatch(name):
            return None
        path = self._folder.path / self._kind / name
        return path if path.is_file() else None

    def _place(self, name: str) -> Path:
        path = self._folder.path / self._kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _prefix(kind: str) -> str:
    if kind == "application/zip":
        return "zip"
    return {"image": "img", "video": "vid", "audio": "audio"}.get(kind.partition("/")[0], "file")
