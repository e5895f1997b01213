"""The parts of the driver of maps: threads, the group commit, and the items that wait."""

import asyncio
import sqlite3
import threading
from time import monotonic
from types import SimpleNamespace

import pytest

from comfydeploy._drivers.maps.engine import Engine
from comfydeploy._drivers.maps.items import failed_map
from comfydeploy._drivers.maps.outbox import Outbox
from comfydeploy._drivers.maps.threads import Threads
from comfydeploy._drivers.maps.work import Workshop
from comfydeploy._drivers.maps.writer import Writer
from comfydeploy._mapping.journal import Entry, Memory
from comfydeploy._mapping.rows import Claim
from comfydeploy._mapping.schedule import Pacing
from comfydeploy.errors import SDKError
from comfydeploy.mapping import MapItem


def item(index):
    return MapItem(index, str(index), {}, None, 1, [], None)


class TestThreads:
    def test_calls_share_a_limited_number(self):
        threads, names = Threads(2), set()

        def call(number):
            names.add(threading.current_thread())
            return number

        async def main():
            for _ in range(3):
                assert await asyncio.gather(*(threads.run(call, number) for number in range(5))) == [*range(5)]

        asyncio.run(main())
        threads.close()
        for thread in names:
            thread.join(5)
            assert not thread.is_alive()
        assert 1 <= len(names) <= 2

    def test_errors_are_raised_in_the_loop(self):
        threads = Threads(1)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(threads.run(lambda: 1 / 0))
        threads.close()

    def test_a_call_that_is_left_is_not_waited_for(self):
        threads, begun, going, called = Threads(1), threading.Event(), threading.Event(), []

        def call():
            begun.set()
            going.wait(5)

        async def main():
            first = asyncio.create_task(threads.run(call))
            second = asyncio.create_task(threads.run(called.append, 1))
            await asyncio.to_thread(begun.wait, 5)
            first.cancel()
            second.cancel()
            await asyncio.wait([first, second])
            going.set()
            assert await threads.run(lambda: 2) == 2  # after both

        asyncio.run(main())
        assert called == []
        begun.clear()
        going.clear()

        async def leave():
            task = asyncio.create_task(threads.run(call))
            await asyncio.to_thread(begun.wait, 5)
            task.cancel()

        asyncio.run(leave())
        going.set()  # its loop is closed
        threads.close()


class TestWriter:
    def test_steps_that_wait_share_a_commit(self):
        async def main(thread):
            journal, batches = Memory("map", "uuid", 300.0), []
            rows = journal.add([Entry(key, "d", "{}", None) for key in "abc"])
            writer = Writer(journal, thread)
            carry_out = journal.carry_out
            journal.carry_out = lambda steps: batches.append(len(steps)) or carry_out(steps)
            claims = [Claim(row.id, "me", 1.0, None, 0.0) for row in rows]
            tasks = [asyncio.create_task(writer.do(claim)) for claim in claims]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await writer.flush()
            await asyncio.wait(tasks)
            assert [row.owner for row in journal.rows([1, 2, 3])] == ["me"] * 3
            assert batches == [3]

        asyncio.run(main(None))
        thread = Threads(1)
        asyncio.run(main(thread))
        thread.close()

    def test_all_who_wait_get_the_error(self):
        async def main():
            journal = Memory("map", "uuid", 300.0)

            def fail(_):
                raise OSError("full")

            journal.carry_out = fail
            writer = Writer(journal, None)
            tasks = [asyncio.create_task(writer.do(Claim(1, "me", 1.0, None, 0.0))) for _ in range(3)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.wait(tasks)
            assert [type(task.exception()) for task in tasks[1:]] == [OSError] * 2

        asyncio.run(main())

    def test_a_journal_left_while_it_opens_is_closed(self):
        begun, going, closed = threading.Event(), threading.Event(), []

        def opened():
            begun.set()
            going.wait(5)
            journal = Memory("map", "uuid", 300.0)
            journal.close = lambda: closed.append(1)
            return journal

        async def main():
            thread = Threads(1)
            task = asyncio.create_task(Writer.opened(opened, thread))
            await asyncio.to_thread(begun.wait, 5)
            task.cancel()
            await asyncio.sleep(0)
            going.set()
            await asyncio.wait([task])
            thread.close()

        asyncio.run(main())
        assert closed == [1]


def test_a_turn_is_waited_for():
    async def main():
        pacing = Pacing()
        pacing.sent(SDKError("busy", 503, headers={"retry-after": "0"}), 0.0, monotonic() - 0.99, 0.0)
        shop = SimpleNamespace(is_stopping=False, pacing=pacing)
        assert await Workshop.turn(shop)
        shop.is_stopping = True
        assert not await Workshop.turn(shop)

    asyncio.run(main())


class TestOutbox:
    def test_holds_a_limited_number(self, monkeypatch):
        monkeypatch.setattr("comfydeploy._drivers.maps.outbox._LEAST", 2)

        async def main():
            outbox = Outbox()
            outbox.limit(1)
            outbox.notify()
            putting = asyncio.create_task(put_all(outbox))
            found = []
            while len(found) < 5:
                found += await outbox.take()
                assert len(found) <= 5
            await putting
            outbox.close()
            assert await outbox.take() == []
            return [one.index for one in found]

        async def put_all(outbox):
            for index in range(5):
                await outbox.put(item(index))

        assert asyncio.run(main()) == [0, 1, 2, 3, 4]

    def test_waits_for_a_time(self):
        assert asyncio.run(asyncio.wait_for(Outbox().wait(0.001), 60)) is None


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        ("database disk image is malformed", "Its file is damaged: find the runs with run_map_adopt and a new file"),
        (
            "Could not decode to UTF-8 column 'run'",
            "Its file is damaged: find the runs with run_map_adopt and a new file",
        ),
        ("disk I/O error", "Start the map again to go on"),
    ],
)
def test_the_end_of_a_map_says_what_to_do(reason, cure):
    error = failed_map(sqlite3.DatabaseError(reason)).result.failure()
    assert error.message == f"journal: {reason}. {cure}"


@pytest.mark.parametrize("is_ending", [False, True])
def test_end_of_a_map_is_not_interrupted(is_ending):
    async def main():
        engine = Engine([], None)
        engine._is_ending = is_ending
        ended = asyncio.Event()
        engine._main = asyncio.create_task(ended.wait())
        asyncio.get_running_loop().call_soon(ended.set)  # after the close has begun
        await engine.close()
        return engine._main.cancelled()

    assert asyncio.run(main()) is not is_ending
