"""Connections whose bytes are known, and responses to read from them."""

import httpcore

ORIGIN = httpcore.Origin(b"http", b"h", 80)
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = [
    OK + b"Content-Type: a\r\ncontent-length: 5\r\n\r\nhello",
    OK + b"a: 1\r\na: 2 \r\nempty:\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2 \r\nde\r\n0\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: v\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\ncontent-encoding: gzip\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    OK + b"connection: close\r\ncontent-length: 0\r\n\r\n",
    OK + b"a: b\r\n\r\nuntil the end",
    OK + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\na: b\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx",
    b"HTTP/1.1 204 No Content\r\na: b\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 201 C\r\ncontent-length: 1\r\n\r\nx",
    b"HTTP/1.1 500 \r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 500\r\ncontent-length: 2\r\n\r\n{}",
    OK + b"content-length: 1\r\n\r\nxsurplus",
    OK + b"content-length: 0\r\n\r\n" + OK + b"content-length: 3\r\n\r\nnew",
]


class Memory(httpcore.NetworkBackend, httpcore.NetworkStream):
    """A connection whose bytes are known; it is at its end after the last piece."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.sent = []

    def connect_tcp(self, *_, **__):
        return self

    def read(self, max_bytes, timeout=None):
        return self.pieces.pop(0) if self.pieces else b""

    def write(self, buffer, timeout=None):
        self.sent.append(buffer)

    def close(self):
        self.pieces.clear()

    def get_extra_info(self, info):
        return None
