"""The two ways to read JSON: Python's own, and msgspec of the extra ``comfydeploy[speed]``."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from msgspec.json import Decoder

from benchmarks.rounds import Measure
from comfydeploy._wire import json_decoding

_Parser: TypeAlias = Callable[[Any], Any]

OWN: Final[_Parser] = json_decoding.scanned
SPEED: Final[_Parser] = Decoder().decode


def reading_by(parser: _Parser, measure: Measure) -> Measure:
    """Measure with one of them."""

    def measured() -> float:
        json_decoding.accept = parser
        return measure()

    return measured
