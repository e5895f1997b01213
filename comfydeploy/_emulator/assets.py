"""Assets: files and folders that an account keeps. Their places are only texts; files have names of the server's."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from posixpath import join
from typing import Any, Final

from pydantic import BaseModel

from comfydeploy._emulator.clock import Clock, to_naive
from comfydeploy._emulator.deployments.deployment import USER
from comfydeploy._emulator.folder import Folder
from comfydeploy._emulator.ids import Ids
from comfydeploy._emulator.runs.collection import Collection
from comfydeploy._emulator.uploads import Uploads

KIND: Final = "assets"
_VALID: Final = timedelta(hours=1)
_MOST_EXPECTED: Final = 1000


class Asset(BaseModel, frozen=True):
    """A file or a folder. ``file`` is the name of a file of this server, ``url`` the address of another."""

    id: str
    name: str
    path: str
    is_folder: bool = False
    file: str | None = None
    url: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    created_at: datetime

    def asset_json(self, base: str) -> dict[str, Any]:
        """Return the asset as the API has it; its times are UTC without a zone."""
        created = to_naive(self.created_at)
        return {
            "id": self.id,
            "user_id": USER,
            "org_id": None,
            "name": self.name,
            "is_folder": self.is_folder,
            "path": self.path,
            "file_size": self.file_size,
            "url": f"{base}{KIND}/{self.file}" if self.file else self.url,
            "mime_type": self.mime_type,
            "created_at": created,
            "updated_at": created,
            "deleted": False,
        }


@dataclass(frozen=True)
class Expected:
    """A file that a client may send, for an hour: its name here, its place, its media type and the signature."""

    id: str
    file: str
    path: str
    media_type: str
    signature: str
    until: datetime


class Assets:
    """The assets, and the files that are expected."""

    def __init__(self, folder: Folder, kept: Collection, clock: Clock, ids: Ids) -> None:
        self.files: Final = Uploads(folder, ids, KIND)
        self._kept: Final = kept
        self._clock: Final = clock
        self._ids: Final = ids
        self._all: Final = {one.id: one for one in map(Asset.model_validate_json, kept.all())}
        self._expected: Final[dict[str, Expected]] = {}

    def in_folder(self, path: str) -> list[Asset]:
        """Return what is in a folder, without what is in folders below; ``/`` is the root."""
        prefix = path.rstrip("/") + "/"
        prefix = "" if prefix == "/" else prefix
        return [one for one in self._all.values() if _is_in(prefix, one.path)]

    def find(self, asset_id: str) -> Asset | None:
        """Return an asset."""
        return self._all.get(asset_id)

    def add_folder(self, name: str, parent: str) -> Asset | None:
        """Create a folder; return ``None`` if there is one at its place."""
        path = place(parent.strip("/"), name)
        if any(one.is_folder and one.path == path for one in self._all.values()):
            return None
        id_, now = f"folder_{self._ids.word(16)}", self._clock.now()
        return self._add(Asset(id=id_, name=name, path=path, is_folder=True, created_at=now))

    def expect(self, filename: str, parent: str, media_type: str) -> Expected:
        """Expect a file; of too many, the oldest are forgotten."""
        file_id, name = self.files.name(filename, media_type)
        until = self._clock.now() + _VALID
        path = place(parent.lstrip("/"), name)
        expected = Expected(file_id, name, path, media_type, secrets.token_hex(32), until)
        self._expected[name] = expected
        for oldest in [*self._expected][:-_MOST_EXPECTED]:
            del self._expected[oldest]
        return expected

    def is_expected(self, file: str, signature: str, media_type: str) -> bool:
        """Return whether a file is expected with this signature and media type, at this moment."""
        found = self._expected.get(file)
        return (
            found is not None
            and secrets.compare_digest(found.signature.encode(), signature.encode())
            and found.media_type == media_type
            and self._clock.now() < found.until
        )

    def register(self, asset: Asset) -> Asset | None:
        """Add a file; return ``None`` if there is an asset of its id."""
        return None if asset.id in self._all else self._add(asset)

    def received(self, filename: str, parent: str, kept: tuple[str, str], size: int, media_type: str) -> Asset:
        """Add a file that has come in a form, with its id and its name here."""
        file_id, file = kept
        return self._add(
            Asset(
                id=file_id,
                name=filename,
                path=place(parent.lstrip("/"), file),
                file=file,
                file_size=size,
                mime_type=media_type,
                created_at=self._clock.now(),
            )
        )

    def delete(self, asset: Asset) -> None:
        """Delete a file, or a folder with all that is in it."""
        below = [one for one in self._all.values() if asset.is_folder and one.path.startswith(f"{asset.path}/")]
        for one in (asset, *below):
            del self._all[one.id]
            self._kept.remove(one.id)
            if one.file:
                self.files.remove(one.file)

    def file(self, name: str) -> Path | None:
        """Return the path of a file."""
        return self.files.path(name)

    def _add(self, asset: Asset) -> Asset:
        self._all[asset.id] = asset
        self._kept.save(asset.id, asset.model_dump_json())
        return asset


def place(parent: str, name: str) -> str:
    """Return the place of something in a folder, as the real server writes it."""
    return join(parent, name).replace("\\", "/")


def _is_in(prefix: str, path: str) -> bool:
    return path.startswith(prefix) and "/" not in path.removeprefix(prefix)
