"""The events of runs, as watchers receive them."""

import pytest

from comfydeploy._emulator.clock import Clock
from comfydeploy._emulator.runs.events import Event, update
from comfydeploy._emulator.runs.feed import LATEST_EVENTS, LATEST_RUNS, Feed


@pytest.fixture
def feed():
    return Feed(Clock(0))


def test_events_of_run_are_kept_in_their_order(feed):
    feed.run_started("a")
    feed.add_event("a", update("queuing"))
    feed.add_event("a", Event("log_update", {"logs": "x"}))
    history = feed.history("a")
    assert [timed.kind for timed in history.latest] == ["queuing", "log_update"]
    assert history.latest[0].moment <= history.latest[1].moment


def test_latest_events_are_kept_all_counted(feed):
    feed.run_started("a")
    for number in range(LATEST_EVENTS + 5):
        feed.add_event("a", update("progress", number))
    history = feed.history("a")
    assert (history.count, len(history.latest)) == (LATEST_EVENTS + 5, LATEST_EVENTS)
    assert history.latest[-1].event.data["data"] == LATEST_EVENTS + 4


def test_latest_runs_are_kept(feed):
    for number in range(LATEST_RUNS + 1):
        feed.run_started(str(number))
    feed.add_event("0", update("queuing"))
    assert feed.history("0") is None
    assert feed.history("1") is not None
    assert feed.history(str(LATEST_RUNS)) is not None


def test_watcher_of_run_is_woken_by_it_only(feed):
    feed.run_started("a")
    feed.run_started("b")
    with feed.watch("a") as happened:
        feed.add_event("b", update("queuing"))
        feed.run_changed("b")
        assert not happened.is_set()
        feed.add_event("a", update("queuing"))
        assert happened.is_set()
        happened.clear()
        feed.run_changed("a")
        assert happened.is_set()


def test_watcher_of_all_runs_is_woken_by_changes(feed):
    with feed.watch(None) as happened:
        feed.run_started("a")
        assert happened.is_set()
        happened.clear()
        feed.add_event("a", update("progress", 1))
        assert not happened.is_set()
        feed.run_changed("a")
        assert happened.is_set()


def test_end_wakes_all_watchers(feed):
    with feed.watch(None) as one, feed.watch("a") as two, feed.watch("a") as three:
        feed.end()
        assert feed.has_ended
        assert one.is_set()
        assert two.is_set()
        assert three.is_set()


def test_former_watcher_is_removed(feed):
    with feed.watch("a") as one:
        with feed.watch("a") as two:
            pass
        feed.run_changed("a")
    assert one.is_set()
    assert not two.is_set()
    assert not feed._watchers
