"""The bytes of requests, beside those of httpcore's own connections."""

import httpcore
import pytest
from connections_in_memory import ORIGIN, Memory

from comfydeploy._http.request_writer import RequestWriter

HOST = (b"Host", b"h")
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def written(request):
    writer = RequestWriter(request)
    return [piece for part in request.stream for piece in writer.framed(part)] + list(writer.end())


def reference(request):
    stream = Memory([ANSWER])
    httpcore.HTTP11Connection(ORIGIN, stream).handle_request(request)
    return b"".join(stream.sent)


REQUESTS = [
    ([], b""),
    ([(b"a", b"1"), (b"A", b"2 3\t4"), (b"empty", b""), (b"text", "ü".encode())], b""),
    ([(b"Content-Length", b"5")], b"hello"),
    ([(b"Content-Length", b"5")], [b"he", b"", b"llo"]),
]


@pytest.mark.parametrize(("headers", "body"), REQUESTS)
def test_same_bytes_as_reference(headers, body):
    def request():
        content = iter(body) if isinstance(body, list) else body
        return httpcore.Request(b"POST", "http://h/p?q=1", headers=[HOST, *headers], content=content)

    assert b"".join(written(request())) == reference(request())


def test_head_and_small_body_are_one_write():
    assert (
        len(written(httpcore.Request("POST", "http://h/", headers=[HOST, (b"content-length", b"2")], content=b"{}")))
        == 1
    )


def test_large_body_is_not_copied():
    body = b"x" * 100_000
    request = httpcore.Request("POST", "http://h/", headers=[HOST, (b"content-length", b"100000")], content=body)
    assert written(request)[1] is body


@pytest.mark.parametrize(
    "header",
    [(b"a", b"b\r\nc: d"), (b"a", b"b\0"), (b"a", b" b"), (b"a", b"b "), (b"a b", b"c"), (b"", b"c"), (b"a", b"b\n")]
    + [(b"content-length", value) for value in (b"five", b"+5", b"1_0")]
    + [(b"transfer-encoding", b"gzip")],
)
def test_impossible_header(header):
    request = httpcore.Request("GET", "http://h/", headers=[HOST, header])
    with pytest.raises(httpcore.LocalProtocolError):
        RequestWriter(request)
    with pytest.raises(httpcore.LocalProtocolError):
        reference(request)


def test_chunks_are_not_sent():
    """Beside a length they could be two requests to a server that reads the other."""
    headers = [HOST, (b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")]
    with pytest.raises(httpcore.LocalProtocolError, match="no transfer-encoding"):
        RequestWriter(httpcore.Request("POST", "http://h/", headers=headers, content=b"hello"))


@pytest.mark.parametrize("body", [b"", b"abc", b"abcdef"])
def test_length_other_than_declared(body):
    request = httpcore.Request("POST", "http://h/", headers=[HOST, (b"content-length", b"5")], content=body)
    with pytest.raises(httpcore.LocalProtocolError, match=r"Too (little|much) data for declared Content-Length"):
        written(request)
