"""The last words of an interrupted command."""

from typing import get_args

import pytest

from comfydeploy._cli.ledger import (
    Cancelling,
    Ended,
    Idle,
    Journaled,
    Ledger,
    Running,
    Sending,
    State,
    facts,
    find_command,
    last_words,
)

WORDS = [
    (Idle(), "Interrupted.", ()),
    (Idle(creates_run=True), "No run was created", ()),
    (Sending("a key", "d"), "a run may exist, and be billed. To find it: comfydeploy find 'a key' --deployment d", ()),
    (Running(("r",)), "Run r goes on and is billed. To wait on: comfydeploy wait r. To end it: ", ("r",)),
    (Running(("r", "s")), "2 runs may go on and be billed: r s", ("r", "s")),
    (Cancelling(("r",)), "Run r was to be cancelled, which is not confirmed", ("r",)),
    (Cancelling(("r", "s")), "2 runs were to be cancelled, which is not confirmed", ("r", "s")),
    (Ended("r", "cancelled"), "Run r was cancelled", ("r",)),
    (Ended("r", "success"), "Run r has ended: success. To save its files: comfydeploy download r", ("r",)),
    (Journaled("night.sqlite"), "in the journal night.sqlite", ()),
]


@pytest.mark.parametrize(("state", "words", "run_ids"), WORDS)
def test_words_and_facts(state, words, run_ids):
    assert words in last_words(state)
    assert last_words(state, "The command has failed").startswith("The command has failed")
    assert facts(state)["run_ids"] == [*run_ids]


def test_every_state_has_words():
    assert {type(state) for state, *_ in WORDS} == set(get_args(State))


def test_command_that_finds_is_typed_as_it_is():
    assert find_command("-k", None) == "comfydeploy find -- -k"
    assert find_command("it's", "d") == "comfydeploy find 'it'\"'\"'s' --deployment d"


def test_sent_without_a_plan_changes_nothing():
    ledger = Ledger()
    ledger.sent()
    assert ledger.state == Idle()
    ledger.plan("k", "d")
    assert ledger.state == Idle(creates_run=True)
    ledger.sent()
    assert ledger.state == Sending("k", "d")
    assert not ledger.is_running
