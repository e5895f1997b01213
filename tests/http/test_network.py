"""The network backends over sockets: bytes, limits, errors and the end of connections."""

import asyncio
import errno
import gc
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress

import httpcore
import pytest

from comfydeploy._http.async_network import AsyncNetwork
from comfydeploy._http.network import translated
from comfydeploy._wire.deadline import Until

MANY = 8_000_000


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def ends(wire, listening):
    stream, other = wire.connected(listening)
    with other:
        yield stream, other
    wire.close(stream)


@pytest.fixture
def silent():
    """The address of a server that accepts no connection and refuses none."""
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        is_full = False
        while not is_full:
            one = waiting.enter_context(socket.socket())
            one.settimeout(0.05)
            is_full = one.connect_ex(full.getsockname()) != 0
        yield full.getsockname()


def no_descriptor(*_):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def meanwhile():
    """Run functions in threads, which are joined at the end of the test."""
    threads = []

    def run(function, *arguments):
        threads.append(threading.Thread(target=function, args=arguments, daemon=True))
        threads[-1].start()

    yield run
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class TestConnecting:
    def test_keeps_tcp_alive(self, ends):
        made = ends[0].get_extra_info("socket")
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60

    def test_knows_addresses(self, ends):
        stream, other = ends
        assert stream.get_extra_info("server_addr") == other.getsockname()
        assert stream.get_extra_info("client_addr") == other.getpeername()
        assert stream.get_extra_info("ssl_object") is None

    def test_tries_every_address(self, wire, listening, monkeypatch):
        port = listening.getsockname()[1]
        closed = socket.create_server(("127.0.0.1", 0))
        refusing = closed.getsockname()
        closed.close()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", one) for one in (refusing, ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        stream = wire(wire.network.connect_tcp, "two.example", port, 5)
        assert stream.get_extra_info("server_addr") == listening.getsockname()
        wire.close(stream)

    def test_silent_address_leaves_time_for_others(self, wire, listening, silent, monkeypatch):
        server = listening.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", one) for one in (silent, server)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        stream = wire(wire.network.connect_tcp, "two.example", 80, 0.2)
        assert stream.get_extra_info("server_addr") == server
        wire.close(stream)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
        with pytest.raises(httpcore.ConnectTimeout):
            wire(wire.network.connect_tcp, "one.example", 80, 0.05)

    def test_without_descriptor(self, wire, listening, monkeypatch):
        address = listening.getsockname()
        if wire.awaited:
            wire(asyncio.sleep, 0)  # the event loop has sockets too
        monkeypatch.setattr(socket, "socket", no_descriptor)
        with pytest.raises(httpcore.ConnectError, match="Too many open files"):
            wire(wire.network.connect_tcp, *address, 5)

    def test_name_has_a_limit_async(self, monkeypatch):
        """A blocking look-up takes none."""
        is_over = threading.Event()

        def look_up(*_, flags=0, **__):
            if flags:
                raise OSError
            is_over.wait(5)
            return []

        async def connect():
            try:
                with pytest.raises(httpcore.ConnectTimeout):
                    await AsyncNetwork().connect_tcp("slow.example", 80, 0.05)
            finally:
                is_over.set()

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        asyncio.run(connect())

    def test_refused(self, wire, listening):
        address = listening.getsockname()
        listening.close()
        with pytest.raises(httpcore.ConnectError, match="Errno"):
            wire(wire.network.connect_tcp, *address, 5)

    @pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
    def test_invalid_name(self, wire, host):
        with pytest.raises(httpcore.ConnectError):
            wire(wire.network.connect_tcp, host, 80, 5)

    def test_name_without_address(self, wire, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        with pytest.raises(httpcore.ConnectError, match="has no address"):
            wire(wire.network.connect_tcp, "none.example", 80, 5)

    def test_past_deadline(self, wire, listening):
        with pytest.raises(httpcore.ConnectTimeout):
            wire(wire.network.connect_tcp, *listening.getsockname(), Until(5, time.monotonic() - 1))

    def test_localhost_by_name(self, wire, listening):
        stream = wire(wire.network.connect_tcp, "localhost", listening.getsockname()[1], 5)
        assert stream.get_extra_info("server_addr") == listening.getsockname()
        wire.close(stream)


class TestReading:
    def test_in_parts(self, wire, ends):
        stream, other = ends
        other.sendall(b"abcdef")
        other.shutdown(socket.SHUT_WR)
        assert [wire(stream.read, 4, 5) for _ in range(4)] == [b"abcd", b"ef", b"", b""]

    def test_goes_on_after_other_end_stopped_sending(self, wire, ends):
        stream, other = ends
        other.shutdown(socket.SHUT_WR)
        assert wire(stream.read, 10, 5) == b""
        wire(stream.write, b"still", 5)
        assert other.recv(10) == b"still"

    def test_many_bytes(self, wire, ends, meanwhile):
        stream, other = ends
        sent = bytes(range(250)) * (MANY // 250)
        meanwhile(lambda: (other.sendall(sent), other.shutdown(socket.SHUT_WR)))
        found = bytearray()
        while data := wire(stream.read, 65_536, 5):
            assert len(data) <= 65_536
            found += data
        assert found == sent

    def test_limit(self, wire, ends):
        with pytest.raises(httpcore.ReadTimeout, match="timed out"):
            wire(ends[0].read, 10, 0.01)

    @pytest.mark.parametrize("limit", [Until(5, 0), 0])
    def test_without_time_left(self, wire, ends, limit):
        with pytest.raises(httpcore.ReadTimeout):
            wire(ends[0].read, 10, limit)

    def test_limit_of_connecting_where_none_is_given(self, wire, listening):
        """As in the handshake of httpcore with a SOCKS proxy."""
        stream, other = wire.connected(listening, 0.05)
        with other, pytest.raises(httpcore.ReadTimeout):
            wire(stream.read, 10)
        with pytest.raises(httpcore.WriteTimeout):
            wire(stream.write, b"x")
        wire.close(stream)

    def test_peer_that_vanished_is_no_limit(self):
        vanished = TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        assert isinstance(translated(vanished, httpcore.ReadTimeout, httpcore.ReadError), httpcore.ReadError)

    def test_trickle_ends_at_deadline(self, wire, ends, meanwhile):
        stream, other = ends
        over = threading.Event()

        def trickle():
            with suppress(OSError):
                while not over.wait(0.005):
                    other.sendall(b".")

        meanwhile(trickle)
        began = time.monotonic()
        limit = Until(60, began + 0.1)

        def read_all():
            while True:
                wire(stream.read, 10, limit)

        with pytest.raises(httpcore.ReadTimeout):
            read_all()
        over.set()
        assert time.monotonic() - began < 5

    def test_reset(self, wire, ends):
        stream, other = ends
        reset(other)
        with pytest.raises(httpcore.ReadError):
            wire(stream.read, 10, 5)

    def test_readable_when_there_is_something(self, wire, ends):
        stream, other = ends
        assert not stream.get_extra_info("is_readable")
        other.sendall(b"surplus")
        until(lambda: stream.get_extra_info("is_readable"))
        assert wire(stream.read, 10, 5) == b"surplus"
        assert not stream.get_extra_info("is_readable")
        other.close()
        until(lambda: stream.get_extra_info("is_readable"))

    def test_closed_counts_as_readable(self, wire, ends):
        wire.close(ends[0])
        assert ends[0].get_extra_info("is_readable")


class TestWriting:
    def test_many_bytes(self, wire, ends, meanwhile):
        stream, other = ends
        sent, found = bytes(range(250)) * (MANY // 250), bytearray()

        def receive():
            while len(found) < len(sent):
                found.extend(other.recv(65_536))

        meanwhile(receive)
        wire(stream.write, sent, 5)
        wire(stream.write, b"", 5)
        if wire.awaited:  # the event loop sends the last bytes
            until(lambda: wire(asyncio.sleep, 0) or len(found) == len(sent))
        else:
            until(lambda: len(found) == len(sent))
        assert found == sent

    def test_limit(self, wire, ends):
        with pytest.raises(httpcore.WriteTimeout):
            wire(ends[0].write, bytes(10 * MANY), 0.05)

    def test_without_time_left(self, wire, ends):
        with pytest.raises(httpcore.WriteTimeout):
            wire(ends[0].write, b"x", Until(5, 0))

    def test_refused_body_leaves_answer_readable(self, wire, ends):
        stream, other = ends
        wire(stream.write, b"head", 5)
        other.recv(2)  # unread bytes turn the close into a reset
        other.sendall(b"too large")
        other.close()

        def write_all():
            for _ in range(1_000):
                wire(stream.write, bytes(100_000), 5)

        with pytest.raises(httpcore.WriteError):
            write_all()
        assert wire(stream.read, 100, 5) == b"too large"


class TestClosing:
    def test_wakes_read(self, wire, ends, meanwhile):
        stream, other = ends
        meanwhile(lambda: (other.recv(1), wire.close_network()))
        with pytest.raises(httpcore.ReadError, match="closed"):
            wire(lambda: self.sent_and_read(wire, stream))
        for method, arguments in ((stream.read, (1, 5)), (stream.write, (b"x", 5))):
            with pytest.raises(httpcore.NetworkError):
                wire(method, *arguments)
        assert other.recv(10) == b""

    def sent_and_read(self, wire, stream):
        if not wire.awaited:
            stream.write(b"x", 5)
            return stream.read(10)

        async def both():
            await stream.write(b"x", 5)
            return await stream.read(10)

        return both()

    def test_wakes_tls_handshake(self, wire, ends, meanwhile, client_context):
        stream, other = ends
        meanwhile(lambda: (other.recv(1), wire.close_network()))
        with pytest.raises(httpcore.ConnectError):
            wire(stream.start_tls, client_context, "127.0.0.1", 5)

    def test_ends_connect(self, wire, meanwhile, silent):
        trying = threading.Event()

        def close():
            trying.wait(5)
            until(lambda: wire.network._phases if wire.awaited else wire.network._sockets)
            wire.close_network()

        meanwhile(close)
        trying.set()
        with pytest.raises(httpcore.ConnectError):
            wire(wire.network.connect_tcp, *silent, 20)

    def test_ends_connect_before_it_begins(self, wire, silent, monkeypatch):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", silent)]

        def look_up(*_, flags=0, **__):
            if flags:
                raise OSError
            wire.close_network()
            return found

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with pytest.raises(httpcore.ConnectError, match="closed"):
            wire(wire.network.connect_tcp, "silent.example", 80, 20)

    def test_opens_nothing_afterwards(self, wire, listening):
        wire.close_network()
        with pytest.raises(httpcore.ConnectError, match="closed"):
            wire(wire.network.connect_tcp, *listening.getsockname(), 5)

    def test_lost_stream_is_closed(self, wire, listening):
        stream, other = wire.connected(listening)
        del stream
        gc.collect()
        if wire.awaited:
            wire(asyncio.sleep, 0)
            wire(asyncio.sleep, 0)
        assert other.recv(1) == b""
        other.close()


class TestTls:
    @pytest.fixture
    def secured(self, wire, listening, meanwhile, server_context, client_context):
        """Return a stream over TLS and its other end."""
        stream, other = wire.connected(listening)
        found = []
        meanwhile(lambda: found.append(server_context.wrap_socket(other, server_side=True)))
        stream = wire(stream.start_tls, client_context, "127.0.0.1", 5)
        until(lambda: found)
        with found[0]:
            yield stream, found[0]
        wire.close(stream)

    def test_bytes_both_ways(self, wire, secured, meanwhile):
        stream, other = secured
        sent = bytes(range(250)) * 8_000
        meanwhile(lambda: (other.sendall(sent), other.close()))
        found = bytearray()
        while data := wire(stream.read, 65_536, 5):
            found += data
        assert found == sent

    def test_write_and_limit(self, wire, secured):
        stream, other = secured
        wire(stream.write, b"question", 5)
        assert other.recv(100) == b"question"
        with pytest.raises(httpcore.ReadTimeout):  # it reads the session tickets
            wire(stream.read, 10, 0.01)
        assert not stream.get_extra_info("is_readable")
        other.sendall(b"answer")
        assert wire(stream.read, 2, 5) == b"an"
        assert stream.get_extra_info("is_readable")
        assert stream.get_extra_info("ssl_object").version()
        assert stream.get_extra_info("socket").fileno() >= 0

    def test_broken_record(self, wire, secured):
        stream, other = secured
        socket.socket.sendall(other, b"no record of TLS")
        with pytest.raises(httpcore.ReadError):
            wire(stream.read, 10, 5)
        with pytest.raises(httpcore.NetworkError):
            wire(stream.write, b"x", 5)

    def test_handshake_has_limit(self, wire, ends, client_context):
        with pytest.raises(httpcore.ConnectTimeout):
            wire(ends[0].start_tls, client_context, "127.0.0.1", 0.01)

    def test_handshake_with_a_plain_server(self, wire, ends, client_context):
        ends[1].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(httpcore.ConnectError):
            wire(ends[0].start_tls, client_context, "127.0.0.1", 5)


def test_cancelled_read_loses_nothing(listening):
    async def read():
        stream = await AsyncNetwork().connect_tcp(*listening.getsockname(), 5)
        other = listening.accept()[0]
        reading = asyncio.create_task(stream.read(100, 5))
        await asyncio.sleep(0)
        other.sendall(b"kept")
        while not stream._receiver.chunks:
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await stream.read(100, 5) == b"kept"
        await stream.aclose()
        other.close()

    asyncio.run(read())


def test_cancelled_connect_closes_its_socket(listening):
    async def connect():
        network = AsyncNetwork()
        connecting = asyncio.create_task(network.connect_tcp(*listening.getsockname(), 5))
        while not network._receivers:
            await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not network._receivers

    asyncio.run(connect())


def test_lost_stream_of_closed_loop_is_quiet(listening):
    kept = []

    async def connect():
        kept.append(await AsyncNetwork().connect_tcp(*listening.getsockname(), 5))

    asyncio.run(connect())
    kept.clear()
    with pytest.warns(ResourceWarning):  # a task of asyncio itself
        gc.collect()


def until(condition):
    """Wait for a condition that another thread will fulfil."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0)
