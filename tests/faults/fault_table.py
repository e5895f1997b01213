"""The faults: what the server does, and the facts from which the oracle derives the result.

Only the standard library: the server is a process of its own.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

RESET, CLOSE, HALF_CLOSE, HANG, ENDLESS, DRIP = "reset", "close", "half-close", "hang", "endless", "drip"
Action = Literal["reset", "close", "half-close", "hang", "endless", "drip"]
Part = bytes | Action
"""Bytes to send, or what to do with the connection: ``drip`` sends the parts after it byte by byte, ``endless`` repeats
the part after it."""

Effect = Literal[
    "good",  # the answer is a good one
    "refused",  # there is no connection
    "late",  # there is no connection in time
    "lost",  # the connection ends, or is not HTTP, before the head is complete
    "silent",  # no head in time
    "cut",  # the body ends early
    "stalled",  # the rest of the body does not come in time
    "status",  # another status
    "redirect",  # to another host
    "other type",  # the content type is not that of the operation
    "event stream",  # the content type is that of a stream
    "not json",  # the body is not that of the operation
    "undecodable",  # the body is not of its encoding
    "unknown encoding",  # the body is of an encoding that was not requested
    "truncated",  # the compressed body has no end
]


@dataclass(frozen=True)
class Good:
    """The good answer of an operation."""

    kind: str
    body: bytes

    @property
    def is_stream(self) -> bool:
        return self.kind == "text/event-stream"

    def head(self, *more: str, status: int = 200, length: str | int | None = "", kind: str | None = "") -> bytes:
        """Return the head; an empty ``length`` or ``kind`` is the right one, ``None`` leaves it out."""
        lines = [f"HTTP/1.1 {status} X"]
        kind = self.kind if kind == "" else kind
        length = len(self.body) if length == "" else length
        lines += [] if kind is None else [f"content-type: {kind}"]
        lines += [] if length is None else [f"content-length: {length}"]
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")

    def encoded(self, name: str, body: bytes) -> bytes:
        return self.head(f"content-encoding: {name}", length=len(body)) + body

    def whole(self) -> bytes:
        return self.head() + self.body

    def halves(self) -> tuple[bytes, bytes]:
        middle = len(self.body) // 2
        return self.body[:middle], self.body[middle:]


Script = Callable[[Good], Sequence[Part]]


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``listener`` is the port that the client connects to, through ``proxy`` if there is one. ``before`` is what happens
    to an earlier call on the same connection. A request ``reaches`` the server where the server has read all of it;
    ``executed`` says whether the server did what it requested. ``keeps``: the connection stays usable. ``is_complete``:
    the whole body comes, although the connection says that there is more. ``strict_effect`` is that for a parser which
    refuses what HTTP leaves open.
    """

    family: str
    name: str
    effect: Effect
    script: Script | None = None
    status: int = 200
    listener: str = "plain"
    proxy: str | None = None
    before: Script | None = None
    reaches: bool = True
    executed: bool = True
    keeps: bool | None = True
    needs_deadline: bool = False
    is_secure: bool = False
    is_complete: bool = False
    strict_effect: Effect | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether the next connection has the fault as well: behind a proxy the name of the server is not looked up."""
        return self.proxy == "connecting" and self.effect != "good"

    @property
    def waits(self) -> bool:
        """Whether only a time limit ends the call."""
        return self.effect in ("late", "silent", "stalled") or self.needs_deadline


def _connecting() -> list[Fault]:
    def fault(name: str, effect: Effect, listener: str) -> Fault:
        return Fault("connecting", name, effect, listener=listener, reaches=False, executed=False, keeps=False)

    return [
        fault("refused", "refused", "refused"),
        fault("no such name", "refused", "no name"),
        fault("reset", "lost", "resetting"),
        fault("closed", "lost", "closing"),
        fault("hang", "silent", "silent"),
    ]


def _tls() -> list[Fault]:
    def fault(name: str, effect: Effect, listener: str, **facts: Any) -> list[Fault]:
        known = {"reaches": False, "executed": False, "keeps": False, "is_secure": True} | facts
        ways = [("", None), (", through a proxy", "connecting")]
        return [Fault("TLS", name + way, effect, listener=listener, proxy=proxy, **known) for way, proxy in ways]

    reached = {"reaches": True, "executed": True}
    return [
        *fault("trusted", "good", "trusted", script=lambda good: [good.whole()], **reached, keeps=True),
        *fault("expired", "refused", "expired"),
        *fault("another name", "refused", "misnamed"),
        *fault("unknown issuer", "refused", "untrusted"),
        *fault("not TLS", "refused", "plain"),
        *fault("reset in the handshake", "refused", "resetting"),
        *fault("closed in the handshake", "refused", "closing"),
        *fault("hang in the handshake", "late", "silent"),
        *fault("reset before the head", "lost", "trusted", script=lambda _: [RESET], **reached),
        *fault(
            "closed in the body",
            "cut",
            "trusted",
            script=lambda good: [good.head(), good.halves()[0], CLOSE],
            **reached,
        ),
        *fault(
            "hang in the body",
            "stalled",
            "trusted",
            script=lambda good: [good.head(), good.halves()[0], HANG],
            **reached,
        ),
    ]


def _proxy() -> list[Fault]:
    def fault(name: str, effect: Effect, proxy: str) -> Fault:
        facts = {"reaches": False, "executed": False, "keeps": False, "is_secure": True}
        return Fault("proxy", name, effect, listener="trusted", proxy=proxy, **facts)

    return [
        fault("refused", "refused", "refused"),
        fault("no such name", "refused", "no name"),
        fault("refuses with 407", "refused", "proxy 407"),
        fault("refuses with 502", "refused", "proxy 502"),
        fault("not HTTP", "refused", "proxy garbage"),
        fault("reset", "refused", "resetting"),
        fault("closed", "refused", "closing"),
        fault("hang", "late", "silent"),
        fault("closed after it connected", "refused", "proxy closing"),
    ]


def _head() -> list[Fault]:
    def fault(where: str, name: str, effect: Effect, script: Script, **facts: Any) -> Fault:
        return Fault(where, name, effect, script, **({"keeps": False} | facts))

    before, inside, body = "before the head", "in the head", "in the body"
    ends: dict[Action, str] = {RESET: "reset", CLOSE: "closed", HALF_CLOSE: "half-closed"}
    made = []
    for end, name in ends.items():
        made += [
            fault(before, name, "lost", lambda _, end=end: [end]),
            fault(before, f"{name}, not executed", "lost", lambda _, end=end: [end], executed=False),
            fault(inside, name, "lost", lambda good, end=end: [good.head()[:20], end]),
            fault(inside, f"{name}, before the empty line", "lost", lambda good, end=end: [good.head()[:-2], end]),
            fault(body, name, "cut", lambda good, end=end: [good.head(), good.halves()[0], end]),
            fault(body, f"{name}, at its begin", "cut", lambda good, end=end: [good.head(), end]),
            fault(body, f"{name}, before its last byte", "cut", lambda good, end=end: [good.whole()[:-1], end]),
        ]
    return [
        *made,
        fault(before, "hang", "silent", lambda _: [HANG]),
        fault(inside, "hang", "silent", lambda good: [good.head()[:20], HANG]),
        fault(
            inside,
            "drips without end",
            "silent",
            lambda _: [b"HTTP/1.1 200 X\r\n", ENDLESS, b"x-a: b\r\n"],
            needs_deadline=True,
        ),
        fault(inside, "drips", "good", lambda good: [DRIP, good.head(), good.body], keeps=True),
        fault(body, "hang", "stalled", lambda good: [good.head(), good.halves()[0], HANG]),
        fault(body, "hang at its begin", "stalled", lambda good: [good.head(), HANG]),
        fault(body, "drips", "good", lambda good: [good.head(), DRIP, good.body], keeps=True),
        fault(
            body,
            "endless",
            "stalled",
            lambda good: [good.head(length=10**12), good.halves()[0], ENDLESS, b"z" * 4096],
            needs_deadline=True,
        ),
        fault(
            body,
            "endless chunks",
            "stalled",
            lambda good: [
                good.head("transfer-encoding: chunked", length=None),
                ENDLESS,
                b"400\r\n" + b"z" * 1024 + b"\r\n",
            ],
            needs_deadline=True,
        ),
    ]


def _chunks() -> list[Fault]:
    def fault(name: str, effect: Effect, body: Callable[[bytes], Sequence[Part]], *, keeps: bool = False) -> Fault:
        def script(good: Good) -> Sequence[Part]:
            return [good.head("transfer-encoding: chunked", length=None), *body(good.body)]

        return Fault("chunks", name, effect, script, keeps=keeps)

    def chunk(body: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(body), body)

    return [
        fault("one", "good", lambda body: [chunk(body), b"0\r\n\r\n"], keeps=True),
        fault(
            "one a byte",
            "good",
            lambda body: [*(chunk(body[at : at + 1]) for at in range(len(body))), b"0\r\n\r\n"],
            keeps=True,
        ),
        fault(
            "an extension and a trailer",
            "good",
            lambda body: [b"%x;a=b\r\n%b\r\n" % (len(body), body), b"0\r\nx-a: b\r\n\r\n"],
            keeps=True,
        ),
        fault("no end, closed", "cut", lambda body: [chunk(body[:5]), CLOSE]),
        fault("no end, hang", "stalled", lambda body: [chunk(body[:5]), HANG]),
        fault("a size that is no number", "cut", lambda body: [chunk(body[:5]), b"xyz\r\n", HANG]),
        fault("a negative size", "cut", lambda body: [chunk(body[:5]), b"-5\r\nabcde\r\n", HANG]),
        fault("more bytes than its size", "cut", lambda body: [chunk(body[:5]), b"3\r\nabcdefgh\r\n", HANG]),
        fault("a size without an end", "cut", lambda body: [chunk(body[:5]), b"1" * 200_000, HANG]),
    ]


def _garbage() -> list[Fault]:
    def fault(name: str, *parts: Part, effect: Effect = "lost", keeps: bool = False) -> Fault:
        return Fault(
            "garbage",
            name,
            effect,
            lambda good: [part if part != b"BODY" else good.whole() for part in parts],
            keeps=keeps,
        )

    many = b"".join(b"x-%d: %b\r\n" % (number, b"v" * 50) for number in range(5_000))
    return [
        fault("bytes", bytes(range(256)), b"\r\n\r\n", HANG),
        fault("text", b"hello\r\n\r\n", HANG),
        fault("a NUL", b"\0", b"BODY", HANG),
        fault("an SSH greeting", b"SSH-2.0-OpenSSH_9.6\r\n", CLOSE),
        fault("a TLS alert", b"\x15\x03\x03\x00\x02\x02\x28", CLOSE),
        fault("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HANG),
        fault("HTTP/0.9", b"<html>hello</html>", CLOSE),
        fault("a status that is no number", b"HTTP/1.1 abc X\r\n\r\n", HANG),
        fault("a status of four digits", b"HTTP/1.1 1000 X\r\ncontent-length: 0\r\n\r\n", HANG),
        fault("a header without a colon", b"HTTP/1.1 200 X\r\nno colon\r\n\r\n", HANG),
        fault("a NUL in a header", b"HTTP/1.1 200 X\r\nx-a: b\0c\r\n\r\n", HANG),
        fault("a head of 200 kB in one header", b"HTTP/1.1 200 X\r\nx-a: " + b"v" * 200_000 + b"\r\n\r\n", HANG),
        fault("a head of 5,000 headers", b"HTTP/1.1 200 X\r\n", many, b"\r\n", HANG),
        fault("a status line of 200 kB", b"HTTP/1.1 200 " + b"X" * 200_000 + b"\r\n\r\n", HANG),
    ]


def _statuses() -> list[Fault]:
    def body(status: int) -> bytes:
        issue = {"loc": ["body", "deployment_id"], "msg": "a fault", "type": "value_error"}
        return json.dumps({"detail": [issue] if status == 422 else "a fault"}).encode()

    def script(good: Good, status: int) -> Sequence[Part]:
        if status in (204, 304):
            return [good.head(status=status, length=None, kind="text/plain" if status == 304 else "")]
        if 200 <= status < 300:
            return [good.head(status=status) + good.body]
        sent = body(status)
        return [
            good.head(status=status, length=len(sent), kind="application/json") + sent,
            *([CLOSE] if status >= 500 else []),
        ]

    not_executed = {401, 403, 404, 405, 413, 422, 429, 503}
    made = [
        Fault(
            "status",
            str(status),
            "good" if status < 300 and status != 204 else "not json" if status == 204 else "status",
            lambda good, status=status: script(good, status),
            status=status,
            executed=status not in not_executed and not 300 <= status < 400,
            keeps=status < 500,
        )
        for status in range(200, 600)
    ]
    informational = [
        Fault(
            "status",
            str(status),
            "lost",
            lambda _, status=status: [b"HTTP/1.1 %d X\r\n\r\n" % status, CLOSE],
            keeps=False,
        )
        for status in (100, *range(102, 200))
    ]
    switched = Fault(
        "status",
        "101",
        "lost",
        lambda _: [b"HTTP/1.1 101 X\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n", CLOSE],
        keeps=False,
    )
    again = Fault(
        "status",
        "503 with Retry-After",
        "status",
        lambda good: [good.head("retry-after: 0", status=503, length=0), CLOSE],
        status=503,
        executed=False,
        keeps=False,
    )
    return sorted([*informational, switched, *made, again], key=lambda fault: fault.name)


def _types() -> list[Fault]:
    def fault(name: str, effect: Effect, kind: str | None, *more: str) -> Fault:
        return Fault(
            "content type",
            name,
            effect,
            lambda good: [good.head(*more, kind=kind and kind.replace("*", good.kind)) + good.body],
        )

    return [
        fault("missing", "other type", None),
        fault("empty", "other type", " "),
        fault("HTML", "other type", "text/html; charset=utf-8"),
        fault("of a stream", "event stream", "text/event-stream"),
        fault("with parameters", "good", "*; charset=utf-8"),
        fault("doubled", "other type", "text/html", "content-type: application/json"),
        fault("garbage", "other type", "\xe4;;=,/"),
        fault("very long", "other type", "a" * 20_000),
    ]


def _lengths() -> list[Fault]:
    def fault(name: str, effect: Effect, script: Script, *, keeps: bool = False, **facts: Any) -> Fault:
        return Fault("length", name, effect, script, keeps=keeps, **facts)

    def lengths(*values: str | int) -> Script:
        return lambda good: [
            good.head(*(f"content-length: {value}" for value in values), length=None) + good.body,
            HANG,
        ]

    return [
        fault("missing", "good", lambda good: [good.head(length=None) + good.body, CLOSE]),
        fault("missing, hang", "stalled", lambda good: [good.head(length=None) + good.halves()[0], HANG]),
        fault("missing, reset", "cut", lambda good: [good.head(length=None) + good.halves()[0], RESET]),
        fault(
            "too long, closed",
            "cut",
            lambda good: [good.head(length=len(good.body) + 9) + good.body, CLOSE],
            is_complete=True,
        ),
        fault(
            "too long, hang",
            "stalled",
            lambda good: [good.head(length=len(good.body) + 9) + good.body, HANG],
            is_complete=True,
        ),
        fault("too short", "not json", lambda good: [good.head(length=1) + good.body]),
        fault("nothing", "not json", lambda good: [good.head(length=0)], keeps=True),
        fault(
            "doubled",
            "good",
            lambda good: [good.head(f"content-length: {len(good.body)}") + good.body],
            keeps=True,
            strict_effect="lost",
        ),
        fault("two lengths", "lost", lengths(5, 6)),
        fault("not a number", "lost", lengths("five")),
        fault("negative", "lost", lengths(-5)),
        fault(
            "beside chunks",
            "good",
            lambda good: [
                good.head("transfer-encoding: chunked", length=3)
                + b"%x\r\n%b\r\n0\r\n\r\n" % (len(good.body), good.body)
            ],
            keeps=True,
        ),
        fault(
            "transfer encoding unknown",
            "lost",
            lambda good: [good.head("transfer-encoding: rot13", length=None) + good.body, HANG],
        ),
    ]


_BROTLI = b"\x0b\x02\x80abcde\x03"
_ZSTD = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00abcde"
_SPACES = 16 * 1024 * 1024


def _encodings() -> list[Fault]:
    def fault(name: str, effect: Effect, coding: str, body: Callable[[bytes], bytes]) -> Fault:
        return Fault("encoding", name, effect, lambda good: [good.encoded(coding, body(good.body))])

    def raw_deflate(body: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return compressor.compress(body) + compressor.flush()

    def bomb(body: bytes) -> bytes:
        return body + b" " * _SPACES

    return [
        fault("gzip", "good", "gzip", gzip.compress),
        fault("deflate", "good", "deflate", zlib.compress),
        fault("deflate without a header", "good", "deflate", raw_deflate),
        fault("gzip twice", "unknown encoding", "gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
        fault("identity", "good", "identity", lambda body: body),
        fault("unknown", "unknown encoding", "rot13", lambda body: body),
        fault("gzip, truncated", "truncated", "gzip", lambda body: gzip.compress(body)[:-12]),
        fault("deflate, truncated", "truncated", "deflate", lambda body: zlib.compress(body)[:-8]),
        fault("gzip, garbage", "undecodable", "gzip", lambda _: b"not compressed at all"),
        fault("deflate, garbage", "undecodable", "deflate", lambda _: b"\xff\xff not compressed"),
        fault("gzip, a wrong checksum", "undecodable", "gzip", lambda body: gzip.compress(body)[:-8] + b"\0" * 8),
        fault("br", "unknown encoding", "br", lambda _: _BROTLI),
        fault("br, truncated", "unknown encoding", "br", lambda _: _BROTLI[:4]),
        fault("zstd", "unknown encoding", "zstd", lambda _: _ZSTD),
        fault("zstd, truncated", "unknown encoding", "zstd", lambda _: _ZSTD[:9]),
        fault("zstd, a bomb", "unknown encoding", "zstd", lambda _: _ZSTD[:6] + b"\x02\x00\x10 " * 200_000),
        fault("gzip, a bomb", "good", "gzip", lambda body: gzip.compress(bomb(body))),
        fault("deflate, a bomb", "good", "deflate", lambda body: zlib.compress(bomb(body))),
    ]


def _informational() -> list[Fault]:
    def fault(name: str, effect: Effect, *parts: Part, needs_deadline: bool = False) -> Fault:
        def script(good: Good) -> Sequence[Part]:
            return [*parts, *([] if needs_deadline else [good.whole()])]

        return Fault("1xx", name, effect, script, needs_deadline=needs_deadline, keeps=not needs_deadline)

    hint = b"HTTP/1.1 103 X\r\nlink: </a>\r\n\r\n"
    return [
        fault("100 before it", "good", b"HTTP/1.1 100 Continue\r\n\r\n"),
        fault("103 before it", "good", hint),
        fault("500 of them", "good", hint * 500),
        fault("without end", "silent", ENDLESS, hint, needs_deadline=True),
    ]


def _surplus() -> list[Fault]:
    def fault(name: str, script: Script, *, keeps: bool | None = False) -> Fault:
        return Fault("surplus", name, "good", script, keeps=keeps)

    stray = b'HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"stray": 1}'
    return [
        fault("a second answer", lambda good: [good.whole() + stray]),
        fault("bytes", lambda good: [good.whole() + b"0123456789"]),
        fault("the begin of an answer", lambda good: [good.whole() + stray[:20]]),
        fault("an empty line", lambda good: [good.whole() + b"\r\n"], keeps=None),  # which may precede an answer
        Fault(
            "surplus",
            "a second answer before",
            "good",
            lambda good: [good.whole()],
            before=lambda good: [good.whole() + stray],
        ),
    ]


def _redirects() -> list[Fault]:
    def fault(status: int, name: str, location: str) -> Fault:
        def script(good: Good) -> Sequence[Part]:
            return [good.head(f"location: {location}", status=status, length=0, kind="text/plain")]

        return Fault("redirect", f"{status} {name}", "redirect", script, status=status, executed=False)

    return [
        *(fault(status, "to another host", "{OTHER}/storage/f.png") for status in (301, 302, 303, 307, 308)),
        Fault(
            "redirect",
            "307 without a location",
            "status",
            lambda good: [good.head(status=307, length=0, kind="text/plain")],
            status=307,
            executed=False,
        ),
        Fault(
            "redirect",
            "307 to no address",
            "status",
            lambda good: [good.head("location: http://[", status=307, length=0, kind="text/plain")],
            status=307,
            executed=False,
        ),
        Fault(
            "redirect",
            "307 to a file",
            "status",
            lambda good: [good.head("location: file:///etc/passwd", status=307, length=0, kind="text/plain")],
            status=307,
            executed=False,
        ),
    ]


def _between() -> list[Fault]:
    def fault(name: str, effect: Effect, script: Script, before: Script, **facts: Any) -> Fault:
        return Fault("between calls", name, effect, script, before=before, **facts)

    def whole(good: Good) -> Sequence[Part]:
        return [good.whole()]

    return [
        fault("closed after a good answer", "good", whole, lambda good: [good.whole(), CLOSE]),
        fault("reset after a good answer", "good", whole, lambda good: [good.whole(), RESET]),
        fault("half-closed after a good answer", "good", whole, lambda good: [good.whole(), HALF_CLOSE]),
        fault("closed as announced", "good", whole, lambda good: [good.head("connection: close") + good.body, CLOSE]),
        fault("closed after a 500", "good", whole, lambda good: [good.head(status=500, length=0), CLOSE]),
        fault("open after a 500", "good", whole, lambda good: [good.head(status=500, length=0)]),
        fault("closed at the next request", "lost", lambda _: [CLOSE], whole, keeps=False),
        fault("reset at the next request, not executed", "lost", lambda _: [RESET], whole, keeps=False, executed=False),
        fault("hang at the next request", "silent", lambda _: [HANG], whole, keeps=False),
    ]


NONE = Fault("none", "none", "good", lambda good: [good.whole()])
FAULTS: tuple[Fault, ...] = (
    NONE,
    *_connecting(),
    *_tls(),
    *_proxy(),
    *_head(),
    *_chunks(),
    *_garbage(),
    *_statuses(),
    *_types(),
    *_lengths(),
    *_encodings(),
    *_informational(),
    *_surplus(),
    *_redirects(),
    *_between(),
)
