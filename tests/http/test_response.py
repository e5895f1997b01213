"""The responses of both parsers, beside those of httpcore's own connections."""

import httpcore
import pytest
from connections_in_memory import OK, ORIGIN, WHOLE, Memory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfydeploy._http.http1 import Connection
from comfydeploy._http.private_names import has_received_more

STRANGE = [
    b"\r",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"0",
    b"7",
    b"a",
    b":",
    b";",
    b"\0",
    b"\xff",
    b"-",
    b"+",
    b"HTTP/1.1 200 OK\r\n",
]
STRANGE += [b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n", b"upgrade: x\r\nconnection: upgrade\r\n"]


def received(connection):
    """Return the head, the body, and how it ended: with an error, or with a connection that may be used again."""
    head, body = (), b""
    request = httpcore.Request(b"GET", "http://h/", headers=[(b"Host", b"h")])
    try:
        response = connection.handle_request(request)
        named = [response.extensions[name] for name in ("http_version", "reason_phrase")]
        head = response.status, response.headers, named
        for part in response.stream:
            body += part
    except httpcore.RemoteProtocolError:
        return head, body, "error"
    response.close()
    return head, body, "idle" if connection.is_idle() and not has_received_more(connection) else "closed"


def both(pieces):
    reference = httpcore.HTTP11Connection(ORIGIN, Memory(pieces))
    return received(Connection(ORIGIN, Memory(pieces), None)), received(reference)


@st.composite
def cut(draw, data):
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


# A parser is the same for all examples.
each_parser = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@each_parser
@given(data=st.data(), whole=st.sampled_from(WHOLE))
def test_same_response_however_it_is_cut(parser, data, whole):
    found, expected = both(data.draw(cut(whole)))
    assert found[:2] == expected[:2]
    # httpcore finds only later that a server has ended the connection, and closes what HTTP/1.0 keeps alive.
    assert found[2] == expected[2] or b"until the end" in whole or b"keep-alive" in whole


@each_parser
@given(data=st.data(), whole=st.sampled_from(WHOLE))
def test_same_response_where_the_end_is_early(parser, data, whole):
    pieces = data.draw(cut(whole[: data.draw(st.integers(0, len(whole) - 1))]))
    found, expected = both(pieces)
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert (found[2] == "error") == (expected[2] == "error")


@each_parser
@given(data=st.data())
def test_what_both_accept_is_the_same(parser, data):
    changed = data.draw(st.sampled_from(WHOLE))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed)))
        gone = data.draw(st.integers(0, 3))
        changed = changed[:place] + data.draw(st.sampled_from([b"", *STRANGE])) + changed[place + gone :]
    found, expected = both(data.draw(cut(changed)))
    if "error" not in (found[2], expected[2]):
        assert found[:2] == expected[:2]


@each_parser
@given(pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_anything_is_response_or_protocol_error(parser, pieces):
    assert received(Connection(ORIGIN, Memory([OK, *pieces]), None))[2] in {"error", "idle", "closed"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"a: " + b"b" * 110_000,
    ],
    ids=lambda data: data[:60].decode(),
)
def test_no_head(parser, data):
    head, body, end = received(Connection(ORIGIN, Memory([data]), None))
    assert (head, body, end) == ((), b"", "error")


@pytest.mark.parametrize("frame", [b"2;" + b"x" * 110_000, b"0\r\nt: " + b"v" * 110_000])
def test_endless_frame_of_chunk(parser, frame):
    pieces = [
        OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        *(frame[at : at + 9000] for at in range(0, 110_000, 9000)),
    ]
    assert received(Connection(ORIGIN, Memory(pieces), None))[1:] == (b"abc", "error")


def test_body_of_interim_response_is_no_body(parser):
    pieces = [b"HTTP/1.1 104 X\r\ncontent-length: 3\r\n\r\nabc", OK + b"content-length: 2\r\n\r\nhi"]
    assert b"abc" not in received(Connection(ORIGIN, Memory(pieces), None))[1]


def test_endless_interim_responses(parser):
    stream = Memory([b"HTTP/1.1 102 Processing\r\n\r\n" * 1001] * 5)
    assert received(Connection(ORIGIN, stream, None)) == ((), b"", "error")
    assert stream.pieces


def test_endless_body_of_interim_response(parser):
    stream = Memory([b"HTTP/1.1 104 X\r\ncontent-length: 999999999\r\n\r\n", *[b"abc" * 9000] * 10])
    assert received(Connection(ORIGIN, stream, None)) == ((), b"", "error")
    assert stream.pieces


def test_bytes_before_nonsense_arrive_first(parser):
    data = OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense"
    stream = Memory([data])
    request = httpcore.Request("GET", "http://h/", headers=[(b"Host", b"h")])
    response = Connection(ORIGIN, stream, None).handle_request(request)
    parts = iter(response.stream)
    assert next(parts) == b"abc"
    with pytest.raises(httpcore.RemoteProtocolError):
        next(parts)


@pytest.mark.parametrize(
    ("head", "end"),
    [
        (OK + b"content-length: 0\r\n\r\n", "idle"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", "closed"),
        (OK + b"transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", "idle"),
        (OK + b"\r\n", "closed"),
    ],
)
def test_connection_after_response(parser, head, end):
    assert received(Connection(ORIGIN, Memory([head]), None))[2] == end


def test_parts_in_hand_are_one_unless_compressed(parser):
    chunks = b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"
    for head, expected in ((OK, (b"ab",)), (OK + b"content-encoding: gzip\r\n", [b"a", b"b"])):
        response = parser()
        response.feed(head + chunks)
        assert response.take() == expected
        assert response.take() == ()
