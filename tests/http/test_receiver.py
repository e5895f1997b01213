"""The callbacks of the event loop for a connection."""

import asyncio
import socket

import pytest

from comfydeploy._http.receiver import Receiver


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_answer_before_reset_is_read(pair):
    ours, theirs = pair

    async def lost():
        receiver = Receiver(set(), ours)
        receiver.connection_lost(ConnectionResetError("reset"))
        return receiver

    theirs.sendall(b"413")
    receiver = asyncio.run(lost())
    assert list(receiver.chunks) == [b"413"]
    assert (receiver.has_ended, receiver.error) == (True, "reset")


def test_writer_waits_for_room(pair):
    async def write():
        receiver = Receiver(set(), pair[0])
        receiver.pause_writing()
        writing = asyncio.create_task(receiver.wait_for_room(None))
        await asyncio.sleep(0)
        waited = not writing.done()
        receiver.resume_writing()
        await writing
        return waited

    assert asyncio.run(write())
