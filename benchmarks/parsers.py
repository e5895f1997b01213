"""The client without an extra, and with ``comfydeploy[speed]``: what reads its HTTP, and what its JSON."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec.json import Decoder

from benchmarks.rounds import Measure
from comfydeploy._http import fast_connections, pool
from comfydeploy._wire import json_decoding


class Parsers(NamedTuple):
    """What reads JSON, and the connections that read HTTP in place of httpcore's."""

    json: Callable[[Any], Any]
    connections: Any


OWN: Final = Parsers(json_decoding.scanned, None)
SPEED: Final = Parsers(Decoder().decode, fast_connections)


def reading_by(parsers: Parsers, measure: Measure) -> Measure:
    """Measure with these. A core keeps the connections that it made, so each of them needs its own."""

    def measured() -> float:
        json_decoding.accept, pool.fast = parsers
        return measure()

    return measured
