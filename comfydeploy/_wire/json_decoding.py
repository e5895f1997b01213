"""JSON values out of text: with the extra ``comfydeploy[speed]`` by msgspec, the same values in half the time.

Both ways only accept. Whatever they do not take as it is, be it blanks around a value, a number or a character that
only Python's JSON knows, or no JSON at all, is left to ``json.loads``: so every value and every complaint is its own.
"""

import json
from collections.abc import Callable
from json.scanner import make_scanner
from typing import Any, Final

# To type checkers this is a class, and takes anything that looks like a decoder.
_Scanner: Final[Callable[[json.JSONDecoder], Callable[[str, int], tuple[Any, int]]]] = make_scanner  # type: ignore[assignment]
_scan: Final = _Scanner(json.JSONDecoder())


def scanned(text: Any) -> Any:
    """Read text without blanks around it: ``loads`` looks for them twice, as long as a small event takes to read."""
    value, end = _scan(text, 0)
    if end != len(text):
        raise ValueError
    return value


accept: Callable[[Any], Any] = scanned
try:
    from msgspec.json import Decoder
except ImportError:
    pass
else:
    accept = Decoder().decode


def parsed(text: str | bytes) -> Any:
    """Read JSON; ``ValueError`` where it is none, ``RecursionError`` where it is nested too deeply."""
    try:
        return accept(text)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - msgspec has its own
        return json.loads(text)
