"""Faults: what they are, and which request each applies to."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic needs this one below Python 3.12

from comfydeploy._emulator.validation import UnprocessableError, problem, validated

_Count = Annotated[int, Field(ge=0)]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FaultOptions(TypedDict, total=False):
    """The arguments of ``Emulator.fail`` besides the operation; see ``Fault``."""

    times: Annotated[int, Field(ge=1, description="How many calls meet it; all without a number.")] | None
    after: Annotated[_Count, Field(description="How many calls are answered as usual before.")]
    status: Annotated[int, Field(ge=200, le=599, description="The status of another answer.")] | None
    body: Annotated[Any, Field(description="The body of another answer.")]
    content_type: Annotated[str, Field(description="The content type of the answer.")] | None
    headers: Annotated[dict[str, str], Field(description="Headers of the answer, by their names.")]
    retry_after: Annotated[_Seconds | str, Field(description="The header Retry-After: seconds, or a date.")] | None
    execute: Annotated[bool, Field(description="Execute the request nevertheless: the run exists.")]
    delay: Annotated[_Seconds, Field(description="Seconds before the answer.")]
    chunk_delay: Annotated[_Seconds, Field(description="Seconds before each chunk of the body, such as an event.")]
    read_delay: Annotated[_Seconds, Field(description="Seconds before each piece of the request is read.")]
    reset_after: Annotated[_Count, Field(description="Reset the connection after so many bytes of the body.")] | None
    truncate_after: Annotated[_Count, Field(description="Close the connection after so many bytes.")] | None
    cut_after: Annotated[_Count, Field(description="End the body after so many bytes, as if it were whole.")] | None
    compress: Annotated[Literal["gzip", "deflate"], Field(description="Compress the body in any case.")] | None
    appear_after: Annotated[_Seconds, Field(description="With execute: seconds from the answer to the execution.")]
    reset: Annotated[bool, Field(description="Reset the connection in place of an answer.")]
    garbage: Annotated[bytes | str, Field(description="Send this in place of HTTP, and close the connection.")] | None
    hang: Annotated[bool, Field(description="Do not answer until the client leaves.")]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with the responses to an operation.

    Which: ``operation`` by its name, ``None`` or ``"*"`` for any. The first ``after`` calls are answered as usual, then
    ``times`` calls meet the fault, ``None`` for all. Of several faults a call meets the first that is not used up.

    Another answer: ``status``; ``body``, text and bytes as they are and anything else as JSON (by default what such a
    status usually says); ``content_type``; ``headers``; ``retry_after`` in seconds or as a date. With neither
    ``status`` nor ``body`` it is the usual answer that has this content type and these headers.

    No answer: ``hang`` until the client leaves; ``reset`` the connection; or ``garbage`` in place of HTTP, after which
    the connection is closed; empty garbage closes it at once.

    A request with another answer, or none, is not executed, unless ``execute`` is set: then the run exists, but the
    client does not receive its id. With ``appear_after`` it is executed so many seconds after the answer.

    Broken off: after so many bytes of the body the connection is reset (``reset_after``) or closed
    (``truncate_after``), or the body ends as if it were whole (``cut_after``); a shorter body arrives whole.

    Compressed: ``compress`` sends the body as ``gzip`` or ``deflate``, whatever the request accepts. The bytes of the
    three above are counted after the compression.

    Slow, in seconds of the emulator's clock: ``delay`` before the answer, ``chunk_delay`` before each chunk of its
    body, such as an event, and ``read_delay`` before the server reads each piece of the request.
    """

    operation: str | None = None
    times: int | None = None
    after: int = 0
    status: int | None = None
    body: Any = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after: float | str | None = None
    execute: bool = False
    delay: float = 0.0
    chunk_delay: float = 0.0
    read_delay: float = 0.0
    reset_after: int | None = None
    truncate_after: int | None = None
    cut_after: int | None = None
    compress: Literal["gzip", "deflate"] | None = None
    appear_after: float = 0.0
    reset: bool = False
    garbage: bytes | str | None = None
    hang: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether there is an answer, other than the usual one."""
        return self.status is not None or self.body is not None

    @property
    def is_silence(self) -> bool:
        """Whether there is no HTTP answer."""
        return self.hang or self.reset or self.garbage is not None


@with_config(ConfigDict(strict=True, extra="forbid"))
class _Order(FaultOptions, total=False):
    operation: str | None


_ORDER: Final = TypeAdapter(_Order)
_PLAIN: Final = Fault()
_SELECTION: Final = frozenset({"operation", "times", "after", "execute", "appear_after"})
_ENDS: Final = ("reset_after", "truncate_after", "cut_after")
_WITH_SILENCE: Final = frozenset({"delay", "read_delay"})


def _check_effects(fault: Fault) -> None:
    changed = [one.name for one in fields(Fault) if getattr(fault, one.name) != getattr(_PLAIN, one.name)]
    effects = [name for name in changed if name not in _SELECTION]
    if not effects:
        raise ValueError("a fault needs an effect, such as status, delay, reset or hang")
    if fault.is_silence and (others := [name for name in effects if name not in _WITH_SILENCE])[1:]:
        raise ValueError(f"{' and '.join(others)} exclude each other")
    ends = [name for name in _ENDS if getattr(fault, name) is not None]
    if ends[1:]:
        raise ValueError(f"{' and '.join(ends)} exclude each other")
    if fault.appear_after and not fault.execute:
        raise ValueError("appear_after needs execute: without it the request is not executed at all")
    if fault.execute and not (fault.is_answer or fault.is_silence):
        raise ValueError(
            "execute needs status, body, hang, reset or garbage: without them the request is executed anyway"
        )


class Faults:
    """The faults, oldest first; thread-safe. ``operations`` are the names that a fault may have."""

    def __init__(self, operations: Collection[str]) -> None:
        self.operations: Final = operations
        self._lock: Final = threading.Lock()
        self._scripts: list[_Script] = []

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that are not used up."""
        with self._lock:
            return tuple(script.fault for script in self._scripts)

    def add(self, options: object, *location: str) -> Fault:
        """Add the fault of these options; an ``UnprocessableError`` says which of them is invalid, and why."""
        try:
            fault = Fault(**validated(_ORDER, options, location))
            _check_effects(fault)
        except ValueError as error:
            raise UnprocessableError([problem("value_error", location, str(error), options)]) from None
        if fault.operation == "*":
            fault = replace(fault, operation=None)
        if fault.operation not in {None, *self.operations}:
            message = f"No operation is called {fault.operation!r}; expected '*' or one of {', '.join(self.operations)}"
            raise UnprocessableError([problem("operation", (*location, "operation"), message, fault.operation)])
        with self._lock:
            self._scripts.append(_Script(fault))
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._scripts.clear()

    def next_for(self, operation: str | None) -> Fault | None:
        """Return the fault of this call, if it has one, and count the call."""
        with self._lock:
            calls = [one for one in self._scripts if one.fault.operation in (None, operation)]
            met = next((one for one in calls if one.seen >= one.fault.after), None)
            for script in calls:
                script.seen += 1
            if not met:
                return None
            met.met += 1
            if met.met == met.fault.times:
                self._scripts.remove(met)
            return met.fault


@dataclass(eq=False)
class _Script:
    fault: Fault
    seen: int = 0
    met: int = 0
