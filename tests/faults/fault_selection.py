"""Which trials are made: all of them, or a few in which each fact meets every other."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Final

from every_operation import Call
from fault_oracle import SETTINGS, Setting, Trial, is_possible
from fault_table import FAULTS, Fault

from comfydeploy._http import http1
from comfydeploy._http.h11_response import H11Response

Sequence = Callable[[Call], tuple[str, ...]]

COLOURS: Final = (False, True)
PARSERS: Final = (False, True) if http1.new_response is not H11Response else (False,)
LONG: Final = frozenset({"map_step", "run_map"})
"""Operations that wait for the clock, so that a trial takes a second."""


def whole(calls: Mapping[str, Call], sequence: Sequence) -> Iterator[Trial]:
    """Yield every trial. A composite has each fault at each of its requests, a long one each status at one of them."""
    for call in calls.values():
        steps = sequence(call) if call.reply == "steps" else ()
        settings = SETTINGS[:1] if call.name in LONG else SETTINGS[:2] if steps else SETTINGS
        for number, fault in enumerate(FAULTS):
            places = _places(steps, fault)
            if call.name in LONG and fault.family == "status":
                places = [places[number % len(places)]]
            for setting, at, is_async, is_fast in product(settings, places, COLOURS, PARSERS):
                if _fits(call, fault, setting):
                    yield Trial(call, fault, setting, is_async, is_fast, at, steps)


def families() -> list[str]:
    """Return the families of faults, in the order of the table."""
    return list(dict.fromkeys(fault.family for fault in FAULTS))


def brief(family: str, calls: Mapping[str, Call], sequence: Sequence) -> list[Trial]:
    """Return trials with each fault of a family, each operation, and each option and colour with each operation.

    The operations share the faults: each has one at least. A long operation takes part in some families.
    """
    faults = [fault for fault in FAULTS if fault.family == family]
    turn = families().index(family)
    sharing = [call for number, call in enumerate(calls.values()) if call.name not in LONG or (turn + number) % 3 == 0]
    share = -(-len(faults) // (len(sharing) - len(LONG)))
    trials = []
    for number, call in enumerate(sharing):
        for part in range(1 if call.name in LONG else share):
            place = number * share + part
            trials += _trial(call, faults[place % len(faults)], place + turn * 3, sequence)
    plain = [call for call in sharing if call.reply != "steps"]
    missing = [fault for fault in faults if fault not in {trial.fault for trial in trials}]
    for number, fault in enumerate(missing):
        trials += _trial(plain[number % len(plain)], fault, number, sequence)
    return trials


def _trial(call: Call, fault: Fault, turn: int, sequence: Sequence) -> list[Trial]:
    """Return a trial with the next options and colour that are possible, if there are any."""
    steps = sequence(call) if call.reply == "steps" else ()
    ways = [*product(PARSERS, SETTINGS, COLOURS)]
    for number in range(turn, turn + len(ways)):
        is_fast, setting, is_async = ways[number % len(ways)]
        if _fits(call, fault, setting):
            places = _places(steps, fault)
            return [Trial(call, fault, setting, is_async, is_fast, places[turn % len(places)], steps)]
    return []


def _fits(call: Call, fault: Fault, setting: Setting) -> bool:
    """Check whether a trial is possible. A read of a long operation has a limit of its own, of half a minute."""
    return is_possible(call, fault, setting) and not (call.name in LONG and fault.needs_deadline)


def _places(steps: tuple[str, ...], fault: Fault) -> list[int]:
    """Return the requests that may have a fault: what happens to a connection happens to the first of them."""
    is_of_request = fault.listener == "plain" and fault.proxy is None and not fault.is_secure
    return list(range(len(steps) or 1)) if is_of_request else [0]
