import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from comfydeploy._emulator.clock import BEGINNING, Clock, ManualClock
from comfydeploy.emulator import Emulator


@pytest.fixture
def client(connect, by_hand):
    return connect(by_hand)


@pytest.fixture
def order(by_hand):
    return lambda name="picture", **fields: {"deployment_id": by_hand.deployments[name], **fields}


def status(emulator: Emulator) -> list[str]:
    return [run.status for run in emulator.runs]


def test_sleepers_wake_in_order_of_their_time():
    async def result() -> list:
        clock, result = ManualClock(1), []

        async def sleeper(name: str, *pauses: float) -> None:
            for pause in pauses:
                await clock.sleep(pause)
                await asyncio.sleep(0)
                result.append((name, (clock.now() - BEGINNING).total_seconds()))

        for name, *pauses in (("a", 2, 1), ("b", 1, 1, 1), ("c", 9)):
            clock.task(sleeper(name, *pauses))
        await clock.advance(0)
        assert result == []
        await clock.advance(3)
        assert clock.now().timestamp() - BEGINNING.timestamp() == 3
        return result

    assert asyncio.run(result()) == [("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]


def test_time_stands_still_during_work():
    async def moment() -> float:
        clock, moments = ManualClock(1), []

        async def worker() -> None:
            await clock.sleep(1)
            await asyncio.to_thread(lambda: None)
            moments.append(clock.now() - BEGINNING)

        clock.task(worker())
        await clock.advance(5)
        return moments[0].total_seconds()

    assert asyncio.run(moment()) == 1


def test_cancelled_sleeper_is_not_waited_for():
    async def moments() -> list:
        clock, ends = ManualClock(1), []

        async def sleeper(seconds: float) -> None:
            try:
                await clock.sleep(seconds)
            finally:
                await asyncio.to_thread(lambda: None)
                ends.append((clock.now() - BEGINNING).total_seconds())

        tasks = [clock.task(sleeper(seconds)) for seconds in (1, 2)]
        await clock.advance(0)
        tasks[0].cancel()
        await clock.advance(3)
        return ends

    assert asyncio.run(moments()) == [0, 2]


def test_sleep_of_request_is_not_waited_for():
    async def result() -> bool:
        clock = ManualClock(1)
        task = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        await clock.advance(1)
        await task
        return True

    assert asyncio.run(result())


def test_pace_stretches_time_by_hand_too():
    async def result() -> list:
        clock, result = ManualClock(2), []

        async def sleeper() -> None:
            await clock.sleep(1)
            result.append((clock.now() - BEGINNING).total_seconds())

        clock.task(sleeper())
        await clock.advance(1.9)
        assert result == []
        await clock.advance(0.1)
        return result

    assert asyncio.run(result()) == [2]


def test_real_time_cannot_be_advanced():
    with pytest.raises(RuntimeError, match="manual"):
        asyncio.run(Clock(1).advance(1))


def test_run_goes_on_only_when_time_does(by_hand, client, order):
    run_id = client.post("/run/queue", json=order()).json()["run_id"]
    seen = []
    for seconds in (0, 0.2, 0.1, 0.1, 0.1, 5):
        by_hand.advance(seconds)
        seen += status(by_hand)
    assert seen == ["not-started", "not-started", "queued", "started", "running", "success"]
    run = client.get(f"/run/{run_id}").json()
    assert run["created_at"] == "2026-01-02T03:04:05.678000Z"
    assert (run["cold_start_duration_total"], run["run_duration"]) == (0.4, 1.5)


def test_advance_returns_after_webhook(by_hand, client, order, sink):
    client.post("/run/queue", json=order(webhook=sink.url, inputs={"width": 16}))
    by_hand.advance(0.4)
    assert [sink.received.get_nowait()[2]["status"] for _ in range(2)] == ["queued", "started"]
    by_hand.advance(10)
    assert [sink.received.get_nowait()[2]["status"] for _ in range(2)] == ["running", "success"]
    assert sink.received.empty()


def test_refused_delivery_is_retried_on_time(by_hand, client, order, sink):
    sink.answers[:] = [500, 500, 200]
    client.post("/run/queue", json=order(webhook=sink.url))
    counts = []
    for seconds in (0.3, 0.4, 0.1, 0.9, 0.1):
        by_hand.advance(seconds)
        counts.append(sink.received.qsize())
    assert counts == [1, 1, 2, 2, 5]


def test_stream_has_all_events_so_far(by_hand, client, order):
    with client.stream("POST", "/run/stream", json=order()) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert "queuing" in next(lines)
        by_hand.advance(0.3)
        assert "function_call_id" in next(lines)
        by_hand.advance(10)
        assert '"status": "success"' in list(lines)[-1]


def test_run_can_be_cancelled_without_advance(by_hand, client, order, sink):
    run_id = client.post("/run/queue", json=order(webhook=sink.url)).json()["run_id"]
    by_hand.advance(1)
    assert client.post(f"/run/{run_id}/cancel").status_code == 200
    by_hand.advance(0)
    assert [sink.received.get_nowait()[2]["status"] for _ in range(4)][-1] == "cancelled"
    by_hand.advance(10)
    assert status(by_hand) == ["cancelled"]
    assert sink.received.empty()


def test_concurrent_advances_are_serialized(by_hand, client, order):
    client.post("/run/queue", json=order("slow"))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(by_hand.advance, [0.5] * 8))
    before = by_hand.runs[0].updated_at
    assert (before - BEGINNING).total_seconds() <= 4
    by_hand.advance(0)
    assert by_hand.runs[0].updated_at == before
    by_hand.advance(5.9)
    assert status(by_hand) == ["success"]


def test_coroutine_advances_and_receives_webhook(by_hand, client, order):
    async def received() -> list[bytes]:
        heads = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as receiver:
            port = receiver.sockets[0].getsockname()[1]
            client.post("/run/queue", json=order(webhook=f"http://127.0.0.1:{port}/"))
            await by_hand.advance_async(10)
        return heads

    assert len(asyncio.run(received())) == 4


def test_session_starts_and_ends_by_hand(by_hand, client):
    machine_id = client.get("/deployments").json()[0]["machine_id"]
    session_id = client.post("/session", json={"machine_id": machine_id, "timeout": 1}).json()["session_id"]
    assert client.get(f"/session/{session_id}").json()["url"] is None
    by_hand.advance(2)
    assert client.get(f"/session/{session_id}").json()["url"]
    by_hand.advance(58)
    assert client.get(f"/session/{session_id}").status_code == 404


def test_stopping_ends_waits_of_manual_clock(connect):
    emulator = Emulator(clock="manual")
    emulator.start()
    order = {"deployment_id": emulator.deployments["picture"]}
    with connect(emulator).stream("POST", "/run/stream", json=order) as answer:
        lines = answer.iter_lines()
        next(lines)
        emulator.stop()
        assert list(lines)[-1] == ""
    for ask in (lambda: emulator.advance(1), lambda: emulator.runs):
        with pytest.raises(RuntimeError, match="not been started"):
            ask()


def test_stopping_ends_waiting_advance(by_hand, client, order):
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as threads:
        client.post("/run/queue", json=order(webhook=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        advancing = threads.submit(by_hand.advance, 10)
        with silent.accept()[0]:
            by_hand.stop()
            assert advancing.exception(5) is None or "stopped" in str(advancing.exception())


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_only_goes_forward(by_hand, seconds):
    with pytest.raises(ValueError, match="seconds must be"):
        by_hand.advance(seconds)


def test_restarted_server_keeps_its_clock():
    emulator = Emulator(clock="manual")
    for seconds in (100, 200):
        with emulator:
            emulator.advance(100)
            order = {"deployment_id": emulator.deployments["picture"]}
            httpx.post(f"{emulator.url}/run/queue", json=order, headers={"authorization": f"Bearer {emulator.bearer}"})
            assert (emulator.runs[0].created_at - BEGINNING).total_seconds() == seconds
