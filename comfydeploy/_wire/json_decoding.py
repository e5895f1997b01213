"""JSON decoding; with the extra ``comfydeploy[speed]`` by msgspec, the same values in half the time.

msgspec is loaded after the first megabyte: to read that much, Python's decoder takes as much longer as the import of
msgspec takes. So a process of a few calls starts as fast as without the extra.

Both decoders are strict. Anything else, such as whitespace around a value, a number or a character that
only Python's JSON accepts, or invalid JSON, is left to ``json.loads``: so values and errors are always the same.
"""

import json
from collections.abc import Callable
from json.scanner import make_scanner
from typing import Any, Final

_Scanner: Final[Callable[[json.JSONDecoder], Callable[[str, int], tuple[Any, int]]]] = make_scanner  # type: ignore[assignment] # to type checkers a class that accepts anything like a decoder
_scan: Final = _Scanner(json.JSONDecoder())


def scanned(text: Any) -> Any:
    """Read text without whitespace around it: ``loads`` searches for it twice, which takes as long as a small event."""
    if type(text) is bytes:
        text = text.decode()
    value, end = _scan(text, 0)
    if end != len(text):
        raise ValueError
    return value


def counted(text: Any) -> Any:
    """Read text as ``scanned`` does, and choose the decoder for all that follows once this one has read enough."""
    global accept, _left  # noqa: PLW0603 - one choice for the process, where benchmarks and tests make it too
    _left -= len(text)
    if _left < 0:
        from comfydeploy._wire.fast_json import decode

        accept = decode or scanned
    return scanned(text)


accept: Callable[[Any], Any] = counted
_left = 1_000_000


def parsed(text: str | bytes) -> Any:
    """Read JSON; raise ``ValueError`` for invalid JSON, ``RecursionError`` where it is nested too deeply."""
    try:
        return accept(text)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - msgspec raises exceptions of its own
        return json.loads(text)
