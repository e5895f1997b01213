"""A part of the fault matrix, in which each fact meets every other; ``python tests/faults`` makes all trials."""

from pathlib import Path

import pytest
from every_operation import every_call
from fault_oracle import SETTINGS
from fault_selection import LONG, brief, families
from fault_table import FAULTS
from fault_trials import Bench

pytestmark = pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="open descriptors are counted there")


@pytest.fixture(scope="module")
def bench():
    with Bench() as made:
        yield made


@pytest.fixture(scope="module")
def sequences(bench):
    """The requests of each operation, which all succeed without a fault."""
    return {call.name: bench.sequence(call) for call in bench.calls.values()}


@pytest.mark.parametrize("family", families())
def test_faults(bench, sequences, family):
    found = []
    for trial in brief(family, bench.calls, lambda call: sequences[call.name]):
        problems, seen = bench.problems(trial)
        if problems:
            found.append(f"{trial}: {problems}; {seen}")
    assert not found, "\n".join(found)


def test_every_fact_occurs(sequences):
    calls = every_call()
    trials = [trial for family in families() for trial in brief(family, calls, lambda call: sequences[call.name])]
    assert {trial.fault for trial in trials} == set(FAULTS)
    for call in calls.values():
        of_call = [trial for trial in trials if trial.call.name == call.name]
        assert {trial.is_async for trial in of_call} == {True, False}
        if call.name not in LONG:
            assert {trial.setting.name for trial in of_call} == {setting.name for setting in SETTINGS}
