"""The folder in which a server keeps its files."""

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final


class Folder:
    """The folder ``given``, or a temporary one, which costs nothing until a file is kept in it."""

    def __init__(self, given: Path | None) -> None:
        self._given: Final = given
        self._temporary: TemporaryDirectory[str] | None = None
        # Files are kept by threads.
        self._lock: Final = Lock()

    @property
    def path(self) -> Path:
        """Where it is."""
        if self._given:
            return self._given
        with self._lock:
            self._temporary = self._temporary or TemporaryDirectory(prefix="comfydeploy-")
            return Path(self._temporary.name)

    def close(self) -> None:
        """Remove it, if it was a temporary one."""
        if self._temporary:
            self._temporary.cleanup()
