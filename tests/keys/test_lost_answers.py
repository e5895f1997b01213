"""Many runs while responses are lost at random: how many are billed, and how many are known.

Time is the manual clock of the server: nothing sleeps. ``python tests/keys/test_lost_answers.py`` writes the
table of 1,000 runs.
"""

import asyncio
import sys
from collections import Counter
from random import Random
from unittest.mock import patch

import pytest

from comfydeploy import ComfyDeployCore, Success
from comfydeploy._drivers import steps
from comfydeploy._wire.steps import Sleep
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_find import run_find
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_queue_once import run_queue_once, run_queue_once_async
from comfydeploy.inputs import KEY_INPUT

SETTLE = 60.0
FEW = 20
FAULTS = {
    "none": lambda _: None,
    "reset before execution": lambda _: {"reset": True},
    "reset after execution": lambda _: {"reset": True, "execute": True},
    "500 after execution": lambda _: {"status": 500, "execute": True},
    "503 after execution": lambda _: {"status": 503, "execute": True},
    "appears late": lambda dice: {"reset": True, "execute": True, "appear_after": dice.uniform(0.1, SETTLE - 1)},
}
BEYOND = {
    "none": FAULTS["none"],
    "appears after settle": lambda dice: {
        "reset": True,
        "execute": True,
        "appear_after": dice.uniform(SETTLE + 1, 2 * SETTLE),
    },
}


class Night:
    """A server whose clock advances when the client sleeps, and which loses responses at random."""

    def __init__(self, seed, faults):
        self.dice, self.faults = Random(seed), faults
        self.server = Emulator(clock="manual", seed=seed, cold_start=0, retention=None)
        self.met = Counter()
        self.slept = 0.0

    def __enter__(self):
        self.server.start()
        url, transports = self.server.url, (self.server.transport, self.server.async_transport)
        self.core = ComfyDeployCore(
            bearer=self.server.bearer, server_url=url, transport=transports[0], async_transport=transports[1]
        )
        self.request = {"deployment_id": self.server.deployments["picture"], "inputs": {"prompt": "a cat"}}
        self._patches = [
            patch.object(steps, "carry_out", self._carried_out(steps.carry_out)),
            patch.object(steps, "carry_out_async", self._carried_out(steps.carry_out_async, awaited=True)),
            patch.object(steps, "monotonic", lambda: self.slept),
        ]
        for one in self._patches:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self._patches:
            one.stop()
        self.core.close()
        self.server.stop()

    def sleep(self, seconds):
        self.slept += seconds
        self.server.advance(seconds)

    def _carried_out(self, plain, *, awaited=False):
        def blocking(core, options, action):
            return self.sleep(action.seconds) if isinstance(action, Sleep) else plain(core, options, action)

        async def as_task(core, options, action):
            return self.sleep(action.seconds) if isinstance(action, Sleep) else await plain(core, options, action)

        return as_task if awaited else blocking

    def lose(self):
        """Add a fault for the next request for a run, or none."""
        name = self.dice.choice(list(self.faults))
        self.met[name] += 1
        fault = self.faults[name](self.dice)
        self.server.clear_faults()
        if fault:
            self.server.fail("run_queue", times=1, **fault)

    def since(self):
        """Return the time of the server, at which a key is created."""
        self.sleep(1)
        return self.server._clock.now()


def with_keys(night, count, *, attempts=99, call=run_queue_once):
    """Queue one run for each key; repeat with the same key while a run is unknown."""
    known, unknown, calls, cache = {}, 0, 0, {}
    for number in range(count):
        key, since = f"key-{number}", night.since()
        for _ in range(attempts):
            night.lose()
            calls += 1
            result = call(night.core, night.request, key, settle=SETTLE, since=since, cache=cache)
            if isinstance(result, Success):
                known[key] = result.unwrap().run_id
                break
            error = result.failure()
            assert error.fate == "unknown", error
            assert "was not found within 60 s" in error.hint
            unknown += 1
    return known, unknown, calls


def without_keys(night, count, *, attempts):
    """Queue the runs with plain calls; send again after an error, as is often done."""
    known, unknown, calls = set(), 0, 0
    for _ in range(count):
        for _ in range(attempts):
            night.lose()
            calls += 1
            result = run_queue(night.core, night.request)
            if isinstance(result, Success):
                known.add(result.unwrap().run_id)
                break
            unknown += 1
    return known, unknown, calls


def runs_by_key(night):
    found = {}
    for run in night.server.runs:
        found.setdefault(run.workflow_inputs[KEY_INPUT], []).append(run.id)
    return found


def awaited(core, request, key, **named):
    return asyncio.run(run_queue_once_async(core, request, key, **named))


def lost_within_settle(count, call=run_queue_once, seed=11):
    with Night(seed, FAULTS) as night:
        known, unknown, calls = with_keys(night, count, call=call)
        night.sleep(2 * SETTLE)
        paid = runs_by_key(night)
        assert paid == {key: [run_id] for key, run_id in known.items()}
        assert len(paid) == count
        assert unknown == night.met["reset before execution"]
        return ["run_queue_once", calls, len(paid), len(known), unknown]


def lost_beyond_settle(count, seed=12):
    with Night(seed, BEYOND) as night:
        known, unknown, calls = with_keys(night, count, attempts=1)
        night.sleep(2 * SETTLE)
        paid = runs_by_key(night)
        assert len(paid) == count
        assert unknown == night.met["appears after settle"] == count - len(known)
        assert all(paid[key] == [run_id] for key, run_id in known.items())
        missing = sorted(set(paid) - set(known))
        found = run_find(night.core, missing, deployment_id=night.request["deployment_id"]).unwrap()
        assert [run.id for run in found.runs] == [
            run.id for run in night.server.runs if run.workflow_inputs[KEY_INPUT] in missing
        ]
        return ["run_queue_once, runs appear after settle", calls, len(paid), len(known), unknown]


def plain(count, attempts, name, seed=11):
    with Night(seed, FAULTS) as night:
        known, unknown, calls = without_keys(night, count, attempts=attempts)
        night.sleep(2 * SETTLE)
        paid = [run.id for run in night.server.runs]
        assert known <= set(paid)
        return [name, calls, len(paid), len(known), unknown]


@pytest.mark.parametrize("call", [run_queue_once, awaited], ids=["blocking", "awaited"])
def test_one_run_for_each_key(call):
    _, calls, paid, known, _ = lost_within_settle(FEW, call)
    assert (paid, known) == (FEW, FEW)
    assert calls > FEW


def test_run_after_settle_is_found_later():
    _, calls, paid, known, unknown = lost_beyond_settle(FEW)
    assert (calls, paid, known + unknown) == (FEW, FEW, FEW)
    assert unknown


def test_without_keys_runs_are_lost_or_paid_twice():
    _, _, paid, known, _ = plain(FEW, 1, "once")
    assert known < paid
    _, _, paid, known, _ = plain(FEW, 99, "again")
    assert known == FEW < paid


def table(count):
    rows = [
        lost_within_settle(count),
        plain(count, 99, "run_queue, sent again after an error"),
        plain(count, 1, "run_queue, sent once"),
        lost_beyond_settle(count),
    ]
    head = f"| {count:,} pictures | calls | runs billed | ids known | unknown |"
    lines = [f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |" for name, *numbers in rows]
    return "\n".join([head, "|---|---|---|---|---|", *lines])


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1]) if sys.argv[1:] else 1000) + "\n")
