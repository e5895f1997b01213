"""Every request to a webhook is kept with its outcome."""

import pytest

from comfydeploy._emulator.webhooks.deliveries import KEPT, Deliveries, Delivery
from comfydeploy.emulator import Emulator


@pytest.fixture
def run(connect):
    """Run a run on a manual clock and return the emulator."""
    started = []

    def begin(address, **fields):
        emulator = Emulator(clock="manual")
        emulator.start()
        started.append(emulator)
        body = {"deployment_id": emulator.deployments["picture"], "webhook": address, **fields}
        connect(emulator).post("/run/queue", json=body)
        return emulator

    yield begin
    for emulator in started:
        emulator.stop()


def test_delivery_has_request_and_response(run, sink):
    emulator = run(sink.url)
    emulator.advance(60)
    first, *_, last = emulator.deliveries
    (known,) = emulator.runs
    assert (first.run_id, first.address, first.method) == (known.id, sink.url, "POST")
    assert (first.attempt, first.status, first.error, first.was_taken) == (1, 200, None, True)
    assert [first.body, last.body] == [sink.received.queue[0][2], sink.received.queue[-1][2]]


def test_every_attempt_is_counted(run, sink):
    sink.answers[:] = [500, 404, 302, 503]
    emulator = run(sink.url)
    emulator.advance(60)
    found = [(one.body["status"], one.attempt, one.status, one.was_taken) for one in emulator.deliveries[:5]]
    assert found == [
        ("queued", 1, 500, False),
        ("queued", 2, 404, False),
        ("queued", 3, 302, True),
        ("started", 1, 503, False),
        ("started", 2, 200, True),
    ]


def test_attempts_wait_half_second_and_second(run, sink):
    sink.answers[:] = [500] * 3
    emulator = run(sink.url)
    emulator.advance(0.3)
    counts = []
    for seconds in (0.4, 0.2, 0.8, 0.4):
        emulator.advance(seconds)
        counts.append(len([one for one in emulator.deliveries if one.body["status"] == "queued"]))
    assert counts == [1, 2, 2, 3]


def test_failed_delivery_has_reason(run):
    emulator = run("http://127.0.0.1:9/")
    emulator.advance(60)
    first = emulator.deliveries[0]
    assert (first.status, first.was_taken) == (None, False)
    assert first.error.startswith("ConnectError: ")


def test_run_without_webhook_delivers_nothing(run):
    emulator = run(None)
    emulator.advance(60)
    assert emulator.deliveries == ()


def test_deliveries_stay_after_end(run, sink):
    emulator = run(sink.url)
    emulator.advance(0.3)
    before = emulator.deliveries
    emulator.advance(60)
    emulator.stop()
    assert emulator.deliveries[: len(before)] == before
    assert len(emulator.deliveries) > len(before)


def test_only_latest_are_kept():
    kept = Deliveries()
    for number in range(KEPT + 3):
        kept.add(Delivery("run", "http://x/", "POST", {}, number, 200, None))
    assert (len(kept.all()), kept.all()[0].attempt, kept.all()[-1].attempt) == (KEPT, 3, KEPT + 2)
