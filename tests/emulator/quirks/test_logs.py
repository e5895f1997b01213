import json

import pytest

from comfydeploy.emulator import Fails, IsCancelled, Quirk


@pytest.fixture
def manual(odd):
    return lambda *quirks: odd(*quirks, clock="manual", pace=1)


def archive(client, run_id):
    return [line["log"] for line in client.get(f"/v2/clickhouse-run-logs/{run_id}").json()]


def begun(client, outcome=None, **fields):
    if outcome:
        client.emulator.script("picture", outcome)
    return client.post("/run/queue", json=client.order(**fields)).json()["run_id"]


def seconds_to_archive(client, run_id):
    while client.get(f"/run/{run_id}").json()["ended_at"] is None:
        client.emulator.advance(0.1)
    tenths = 0
    while not archive(client, run_id):
        client.emulator.advance(0.1)
        tenths += 1
    return tenths / 10


def test_archive_comes_late(manual):
    client = manual(Quirk.LATE_ARCHIVE)
    waits = [seconds_to_archive(client, begun(client, Fails(seconds=1))) for _ in range(5)]
    assert min(waits) >= 4.9
    assert max(waits) <= 7.6


def test_cancelled_run_is_never_archived(manual):
    client = manual(Quirk.LATE_ARCHIVE)
    run_id = begun(client, IsCancelled())
    client.emulator.advance(1000)
    assert archive(client, run_id) == []


def test_archive_loses_lines(manual):
    client = manual(Quirk.LOSSY_ARCHIVE)
    ids = [begun(client, Fails("no")) for _ in range(40)]
    client.emulator.advance(60)
    found = [archive(client, run_id) for run_id in ids]
    whole = max(map(len, found))
    assert 0.4 < sum(map(len, found)) / (40 * whole) < 0.95
    reasons = {any(line == "RuntimeError: no" for line in lines) for lines in found}
    assert reasons == {True, False}


def test_logs_have_noise(manual, sink):
    client = manual(Quirk.NOISY_LOGS)
    run_id = begun(client, Fails("no"), webhook=f"{sink.url}?proof=p")
    client.emulator.advance(60)
    lines = archive(client, run_id)
    assert lines.count("__END__") == 2
    hooks = [json.loads(line) for line in lines if line.startswith('{"type": "webhook"')]
    assert {hook["url"] for hook in hooks} == {f"{sink.url}?proof=p"}
    assert [json.loads(hook["payload"])["status"] for hook in hooks][-1] == "failed"
    assert any("\x1b[" in line and "\n" in line for line in lines)
    others = [line for line in lines if line.startswith("Executing prompt: ") and run_id not in line]
    assert lines.index(others[0]) > lines.index("RuntimeError: no")


def test_log_stream_may_be_unavailable(manual):
    client = manual(Quirk.UNAVAILABLE_LOGS)
    run_id = begun(client)
    text = client.get("/v2/stream-logs", params={"run_id": run_id}).text
    assert [json.loads(line[6:]) for line in text.splitlines() if line] == [{"type": "stream_unavailable"}]
    client.emulator.advance(60)
    assert "stream_complete" in client.get("/v2/stream-logs", params={"run_id": run_id}).text


@pytest.mark.parametrize(("quirks", "ends"), [([Quirk.ENDLESS_LOGS], False), ([], True)])
def test_log_stream_of_cancelled_run_never_ends(manual, quirks, ends):
    client = manual(*quirks)
    run_id = begun(client)
    with client.stream("GET", "/v2/stream-logs", params={"run_id": run_id}) as answer:
        client.emulator.advance(1)
        client.post(f"/run/{run_id}/cancel")
        client.emulator.stop()
        # The stop of the server ends it, without an event.
        assert ("stream_complete" in answer.read().decode()) is ends


def test_log_stream_of_another_run_ends(manual):
    client = manual(Quirk.ENDLESS_LOGS)
    run_id = begun(client)
    with client.stream("GET", "/v2/stream-logs", params={"run_id": run_id}) as answer:
        client.emulator.advance(60)
        assert "stream_complete" in answer.read().decode()
