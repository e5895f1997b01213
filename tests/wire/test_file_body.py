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
    assert max(map(len, pieces), default=0) <= max(step, 1024 * 1024)
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
        ("identity", WHOLE, WHOLE),
        ("", b"", b""),
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
        received(encoding, body + b"junk" * 9, 1_000)


def test_unknown_encoding():
    with pytest.raises(errors.SDKError, match="'br'"):
        received("br", SMALL, 1_000)


def test_length_is_compared():
    assert received("identity", SMALL, 7, **{"content-length": "300"}) == SMALL
    with pytest.raises(errors.ConnectionError, match="299 of 300"):
        received("identity", SMALL[:-1], 7, **{"content-length": "300"})
    assert received("identity", SMALL, 7, **{"content-length": "many"}) == SMALL
    assert received("identity", SMALL, 7, **{"content-length": "3", "transfer-encoding": "chunked"}) == SMALL
