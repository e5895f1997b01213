"""Simulated worlds hold the promises of the client, and show faults that are put into it.

``python tests/simulation --seeds 100000`` lets more of them happen.
"""

import pytest
from choices import Choices, shrunk
from kept_seeds import kept
from simulated_network import FAULTS
from simulation import simulated
from weakenings import BREAKS, weakened

KEPT = kept()


@pytest.fixture(scope="module")
def traces():
    """What happens in some worlds, which hold all promises."""
    found = []
    for seed in range(60):
        trace = []
        shown = simulated(seed, trace=trace)
        assert shown.fault is None, f"seed {seed}: {shown.detail}"
        found.append(trace)
    return found


@pytest.mark.parametrize("one", KEPT, ids=lambda one: one.weakening.replace(" ", "-"))
def test_fault_is_found(one):
    """Its seed and its simplest choices fail with the fault, and only then."""
    for shown in ({"seed": one.seed}, {"given": one.choices}):
        assert simulated(**shown).fault is None
        with weakened(one.weakening):
            assert simulated(**shown).fault == one.promise


def test_each_weakening_has_a_seed():
    assert {one.weakening: one.promise for one in KEPT} == BREAKS
    assert len(KEPT) > 5


def test_seed_gives_the_same_world(traces):
    seed = max(range(20), key=lambda one: len(traces[one]))
    again = []
    simulated(seed, trace=again)
    assert again == traces[seed]


def test_worlds_meet_every_fault(traces):
    text = "\n".join(line for trace in traces for line in trace)
    met = [f"meets: {fault}" for fault in FAULTS]
    met += ["is killed", "is interrupted", "crashes", "loses what", "delivered", "is cancelled"]
    assert [one for one in met if one not in text] == []


def test_shrunk_choices_are_simplest():
    def fails(choices):
        given = Choices(given=choices)
        return [given.below(10) for _ in range(6)].count(7) > 1

    assert shrunk([3, 9, 7, 7, 1, 7, 8, 2] * 3, fails) == [7, 7]
