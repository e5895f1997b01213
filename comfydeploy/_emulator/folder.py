"""The folder in which a server keeps its files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final


class Folder:
    """The folder ``given``, or a temporary one, which is created when the first file is kept in it."""

    def __init__(self, given: Path | None) -> None:
        self._given: Final = given
        self._temporary: TemporaryDirectory[str] | None = None
        # Threads keep files.
        self._lock: Final = Lock()

    @property
    def is_temporary(self) -> bool:
        """Whether it will be removed at the end."""
        return self._given is None

    @property
    def path(self) -> Path:
        """The path of the folder, which is created now."""
        if self._given:
            self._given.mkdir(parents=True, exist_ok=True)
            return self._given
        with self._lock:
            self._temporary = self._temporary or TemporaryDirectory(prefix="comfydeploy-")
            return Path(self._temporary.name)

    def close(self) -> None:
        """Remove it, if it was a temporary one."""
        if self._temporary:
            self._temporary.cleanup()
