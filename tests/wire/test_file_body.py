"""A file is decompressed in pieces, and a cut is always detected."""

import gzip
import random
import zlib

import pytest

from comfydeploy import errors
from comfydeploy._wire.file_body import FileBody
from comfydeploy._wire.reply import Reply

WHOLE = random.Random(3).randbytes(3_000) + bytes(3_000_000)
SMALL = WHOLE[:300]
STEPS = [1_000, 10_000_000]


def raw_deflate(data):
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def received(encoding, body, step, **headers):
    reply = Reply(200, {"content-encoding": encoding, **headers})
    file = FileBody(reply)
    pieces = [piece for start in range(0, len(body), step) for piece in file.feed(body[start : start + step])]
    file.finish()
    assert all(pieces)
    assert max(map(len, pieces), default=0) <= (step if file.is_identity else 1024 * 1024)
    return b"".join(pieces)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("encoding", "body", "whole"),
    [
        ("gzip", gzip.compress(WHOLE), WHOLE),
        ("GZIP", gzip.compress(WHOLE) * 2, WHOLE * 2),
        ("x-gzip", gzip.compress(WHOLE) + bytes(2_000), WHOLE),
        ("gzip", gzip.compress(SMALL) + bytes(20) + gzip.compress(SMALL), SMALL * 2),
        ("deflate", zlib.compress(WHOLE), WHOLE),
        ("deflate", raw_deflate(WHOLE), WHOLE),
        # All bytes are read when the first piece is full, and the rest of the file is still to come.
        ("deflate", raw_deflate(bytes(1024 * 1024 + 100)), bytes(1024 * 1024 + 100)),
        ("identity", WHOLE, WHOLE),
        ("", b"", b""),
        (" ", SMALL, SMALL),
        (" Deflate ", zlib.compress(SMALL), SMALL),
    ],
)
def test_whole_files(encoding, body, whole, step):
    assert received(encoding, body, step) == whole


@pytest.mark.parametrize("step", [1, 1_000])
@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(SMALL)), ("deflate", zlib.compress(SMALL)), ("deflate", raw_deflate(SMALL))],
)
def test_every_cut_is_found(encoding, body, step):
    for end in range(len(body)):
        with pytest.raises((errors.ConnectionError, errors.SDKError)):
            received(encoding, body[:end], step)


def test_cut_second_member_is_found():
    with pytest.raises(errors.ConnectionError):
        received("gzip", gzip.compress(SMALL) * 2 + b"\x1f\x8b", 1_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_junk_behind_file(encoding):
    body = gzip.compress(SMALL) if encoding == "gzip" else zlib.compress(SMALL)
    with pytest.raises(errors.SDKError, match="cannot be decompressed"):
        received(encoding, body + b"Xjunk" * 9, 1_000)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", zlib.compress(SMALL)), ("x-gzip", zlib.compress(SMALL)), ("gzip", b"\0" + gzip.compress(SMALL))],
)
def test_other_format(encoding, body):
    with pytest.raises(errors.SDKError, match="cannot be decompressed"):
        received(encoding, body, 1_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_part_may_be_empty(encoding):
    file = FileBody(Reply(200, {"content-encoding": encoding}))
    assert list(file.feed(b"")) == []
    assert b"".join(file.feed(zlib.compress(SMALL, wbits=31 if encoding == "gzip" else 15))) == SMALL
    assert list(file.feed(b"")) == []
    file.finish()


def test_body_that_was_decoded_elsewhere():
    file = FileBody(Reply(200, {"content-encoding": "gzip", "content-length": "5"}), is_decoded=True)
    assert list(file.feed(SMALL)) == [SMALL]
    file.finish()
    assert (file.is_identity, file.length, file.received) == (True, None, 300)


def test_cut_was_answered():
    with pytest.raises(errors.ConnectionError, match="299 of 300") as caught:
        received("identity", SMALL[:-1], 1_000, **{"content-length": "300"})
    assert caught.value.fate == "answered"
    with pytest.raises(errors.ConnectionError, match="its gzip data has no end") as caught:
        received("gzip", gzip.compress(SMALL)[:-1], 1_000)
    assert caught.value.fate == "answered"


def test_unknown_encoding():
    with pytest.raises(errors.SDKError, match="'br'"):
        received("br", SMALL, 1_000)


def test_length_is_compared():
    assert received("identity", SMALL, 7, **{"content-length": "300"}) == SMALL
    with pytest.raises(errors.ConnectionError, match="299 of 300"):
        received("identity", SMALL[:-1], 7, **{"content-length": "300"})
    assert received("identity", SMALL, 7, **{"content-length": "many"}) == SMALL
    assert received("identity", SMALL, 7, **{"content-length": "\uff13"}) == SMALL  # a digit, but not ASCII
    assert received("identity", SMALL, 7, **{"content-length": "3", "transfer-encoding": "chunked"}) == SMALL
