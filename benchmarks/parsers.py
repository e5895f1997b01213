"""The client without an extra, and with ``comfydeploy[speed]``: what reads its HTTP, and what its JSON."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec.json import Decoder

from benchmarks.rounds import Measure
from comfydeploy._http import http1
from comfydeploy._http.h11_response import H11Response
from comfydeploy._http.llhttp_response import LlhttpResponse
from comfydeploy._http.response import ReceivedResponse
from comfydeploy._wire import json_decoding


class Parsers(NamedTuple):
    """What reads JSON, and what reads a response."""

    json: Callable[[Any], Any]
    response: Callable[[], ReceivedResponse]


OWN: Final = Parsers(json_decoding.scanned, H11Response)
SPEED: Final = Parsers(Decoder().decode, LlhttpResponse)


def reading_by(parsers: Parsers, measure: Measure) -> Measure:
    """Measure with these."""

    def measured() -> float:
        json_decoding.accept, http1.new_response = parsers
        return measure()

    return measured
