"""How runs can be made to end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from comfydeploy._emulator.media import media_type, plain_name

# The kinds of files that have names of their own, and the classes of the nodes that make them.
_KINDS: Final = {
    "image": ("images", "ComfyDeployOutputImage"),
    "video": ("videos", "SaveVideo"),
    "audio": ("audio", "SaveAudio"),
    "model": ("mesh", "SaveGLB"),
}


@dataclass(frozen=True)
class NodeOutput:
    """What one node of a workflow makes: the bytes of files by their names, and texts or other values.

    ``kind`` is the key of the files in ``data``, such as ``gifs``; without it the names decide (``images``,
    ``videos``, ``audio``, ``mesh``, else ``files``). With neither files nor texts, the node draws a picture from the
    run's inputs.
    """

    output_id: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    texts: Sequence[Any] = ()
    kind: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.texts, str):
            raise TypeError("texts must be a list of texts, not one text")
        for name, content in self.files.items():
            plain_name(name)
            # Not everybody checks the types of tests.
            if not isinstance(content, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError(f"files: {name} must be bytes, not {content!r}")

    @property
    def draws(self) -> bool:
        """Whether nothing is given, so that a picture is drawn."""
        return not self.files and not self.texts

    @property
    def type(self) -> str:
        """What it is first of all: ``image``, ``video``, ``audio``, ``model`` or ``text``."""
        if self.draws:
            return "image"
        first = media_type(next(iter(self.files), ".txt")).partition("/")[0]
        return first if first in _KINDS else "text"

    @property
    def class_type(self) -> str:
        """The class of a node that makes such things."""
        return _KINDS[self.type][1] if self.type in _KINDS else "ComfyDeployOutputText"

    def data(self, files: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Sort what describes its files, by their names, into the lists that outputs have, and add its texts."""
        data: dict[str, list[Any]] = {}
        for name, file in files.items():
            kind, _ = _KINDS.get(media_type(name).partition("/")[0], ("files", ""))
            data.setdefault(self.kind or kind, []).append(file)
        if self.texts:
            data.setdefault("text", []).extend(self.texts)
        return data


@dataclass(frozen=True, kw_only=True)
class _Lasting:
    """``seconds`` is the time from the run's start to its end at pace 1; without it, what the workflow takes."""

    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise ValueError(f"seconds must be a number, 0 or more, not {self.seconds}")


@dataclass(frozen=True)
class Succeeds(_Lasting):
    """The run succeeds with these outputs: none for ``[]``, those of its deployment without any word."""

    outputs: Sequence[NodeOutput] | None = None


@dataclass(frozen=True)
class Fails(_Lasting):
    """The run fails in the middle of its work, before it has outputs.

    ComfyUI's reason stands in the stream's ``execution_error`` and in the log, and nowhere else.
    """

    message: str = "Something went wrong."
    exception_type: str = "RuntimeError"


@dataclass(frozen=True)
class TimesOut(_Lasting):
    """The run is ended as ``timeout`` in the middle of its work; its stream just ends."""


@dataclass(frozen=True)
class IsCancelled(_Lasting):
    """The run is cancelled in the middle of its work by somebody else; its stream just ends."""


Outcome: TypeAlias = Succeeds | Fails | TimesOut | IsCancelled
