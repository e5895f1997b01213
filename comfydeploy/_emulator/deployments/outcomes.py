"""The outcomes of runs."""

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

# ComfyUI's error for a graph whose model the machine does not have.
MISSING_MODEL: Final[Mapping[str, Any]] = {
    "1": {
        "errors": [
            {
                "type": "value_not_in_list",
                "message": "Value not in list",
                "details": "ckpt_name: 'sd15.safetensors' not in []",
                "extra_info": {
                    "input_name": "ckpt_name",
                    "input_config": [[], {"tooltip": "The name of the checkpoint (model) to load."}],
                    "received_value": "sd15.safetensors",
                },
            }
        ],
        "dependent_outputs": ["7"],
        "class_type": "CheckpointLoaderSimple",
    }
}


@dataclass(frozen=True)
class NodeOutput:
    """The output of one node: the bytes of files by their names, and texts or other values.

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
            if not isinstance(content, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] - few check the types of tests
                raise TypeError(f"files: {name} must be bytes, not {content!r}")

    @property
    def draws(self) -> bool:
        """Whether nothing is given, so that a picture is drawn."""
        return not self.files and not self.texts

    @property
    def type(self) -> str:
        """The main type of the output: ``image``, ``video``, ``audio``, ``model`` or ``text``."""
        if self.draws:
            return "image"
        first = media_type(next(iter(self.files), ".txt")).partition("/")[0]
        return first if first in _KINDS else "text"

    @property
    def class_type(self) -> str:
        """The class of a node with such an output."""
        return _KINDS[self.type][1] if self.type in _KINDS else "ComfyDeployOutputText"

    def data(self, files: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Sort the descriptions of its files, by their names, into the lists that outputs have, and add its texts."""
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
    """The run succeeds with these outputs: none for ``[]``, those of its deployment for ``None``.

    ``node_errors``, by the ids of nodes, are of further outputs that ComfyUI refused; the run does not show them.
    """

    outputs: Sequence[NodeOutput] | None = None
    node_errors: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Fails(_Lasting):
    """A node raises in the middle of the run, after the run has made ``outputs``.

    The reason is in the ``execution_error`` of the stream, in an output row of the workflow's runs and in the log;
    ``GET /run/{run_id}`` does not have it.
    """

    message: str = "Something went wrong."
    exception_type: str = "RuntimeError"
    outputs: Sequence[NodeOutput] = ()


@dataclass(frozen=True)
class IsRefused(_Lasting):
    """ComfyUI refuses the graph before any node runs.

    ``node_errors``, by the ids of nodes, are in the stream and in an output row of the workflow's runs. Without any,
    as for an unknown class of nodes, only the stream has the ``error``.
    """

    node_errors: Mapping[str, Any] = field(default_factory=lambda: dict(MISSING_MODEL))
    error: Mapping[str, Any] = field(
        default_factory=lambda: {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "",
            "extra_info": {},
        }
    )


@dataclass(frozen=True)
class CannotStart(_Lasting):
    """The machine cannot start; the log has ``lines``.

    ``at_once``: the request that creates the run is answered 500, and the run has failed without an ``ended_at``.
    """

    lines: Sequence[str] = (
        "Session crashed in startup",
        "Error in custom_nodes: ImportError: cannot import name 'x' from 'y'",
    )
    at_once: bool = False


@dataclass(frozen=True)
class Crashes(_Lasting):
    """ComfyUI is killed in the middle of the run: the run fails, and no reason is kept.

    A streamed run does not fail: its stream ends, and it stays as it was.
    """


@dataclass(frozen=True)
class LosesOutputs(_Lasting):
    """The run succeeds without outputs, because their upload fails; only the log has the ``message``."""

    message: str = "Cannot connect to host 127.0.0.1:9 ssl:default [Connect call failed ('127.0.0.1', 9)]"


@dataclass(frozen=True)
class OnlyPreviews(_Lasting):
    """The run has previews only: it is not marked as a success, and times out ``limit`` seconds after its last node."""

    limit: float = 8.0


@dataclass(frozen=True)
class TimesOut(_Lasting):
    """The run times out in the middle of its work; its stream ends without a status."""


@dataclass(frozen=True)
class IsCancelled(_Lasting):
    """The run is cancelled in the middle of its work by another client; its stream ends without a status."""


Outcome: TypeAlias = (
    Succeeds | Fails | IsRefused | CannotStart | Crashes | LosesOutputs | OnlyPreviews | TimesOut | IsCancelled
)
