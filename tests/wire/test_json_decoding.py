"""JSON is read the same with and without the faster extra, including errors."""

import json
import math
import runpy
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfydeploy._wire import fast_json, json_decoding
from comfydeploy._wire.json_decoding import parsed, scanned

pytestmark = pytest.mark.usefixtures("each_parser")

STRANGE = [
    "",
    " ",
    " {} ",
    "\n[1]\t",
    "{}{}",
    "[1,]",
    "01",
    "-0",
    "-0.0",
    "1E5",
    "1e400",
    "4.35",
    "1e23",
    "5e-324",
    "2.2250738585072011e-308",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    str(2**70),
    "1" * 5000,
    "NaN",
    "[Infinity, -Infinity]",
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"',
    '"\ud800"',
    '"a\tb"',
    '"\u2028\x7f"',
    '"\\u0000"',
    '{"a":1,"b":2,"a":3}',
    '{"a":1}\x00',
    "\ufeff{}",
    "[" * 100_000,
    "nul",
    "'a'",
    "{1: 2}",
]
BYTES = [
    b"\xef\xbb\xbf{}",
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b"\x00",
    *('{"a": "é"}'.encode(way) for way in ("utf-16", "utf-32")),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def outcome(read, text):
    """Return the result of a reader in a form that compares by type, including NaN and -0.0."""
    try:
        return repr(read(text))
    except (ValueError, RecursionError) as error:
        return type(error).__name__, str(error).partition(" while")[0]


@pytest.mark.parametrize("text", [*STRANGE, *BYTES])
def test_strange_text_is_read_as_python_reads_it(text):
    assert outcome(parsed, text) == outcome(json.loads, text)


@given(value=VALUES, is_ascii=st.booleans(), indent=st.none() | st.just(1))
def test_every_value_is_read_as_python_reads_it(value, is_ascii, indent):
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    assert outcome(parsed, text) == outcome(json.loads, text)
    raw = text.encode("utf-8", "surrogatepass")
    assert outcome(parsed, raw) == outcome(json.loads, raw)


@given(number=st.decimals(allow_nan=False, allow_infinity=False), power=st.integers(-330, 330))
@example(number=0, power=0)
def test_every_number_is_read_as_python_reads_it(number, power):
    text = f"{number:f}"
    for written in (text, f"{text}e{power}"):
        assert outcome(parsed, written) == outcome(json.loads, written)


@given(text=st.text(st.sampled_from('{}[]",:\\ue0d81-+.tfn \n'), max_size=12))
def test_odd_json_is_read_as_by_python(text):
    assert outcome(parsed, text) == outcome(json.loads, text)


def test_scanner_needs_no_second_reading():
    for text in ('{"a":[1]}', "5", '"x"', "null"):
        assert scanned(text) == json.loads(text)
    for text in ("{} ", "[1]]"):
        with pytest.raises(ValueError, match=r"^$"):
            scanned(text)


def test_large_number_is_unchanged():
    assert parsed(str(2**70)) == 2**70
    assert math.isnan(parsed("NaN"))


def test_no_memory_passes_through(monkeypatch):
    def fail(_):
        raise MemoryError

    monkeypatch.setattr(json_decoding, "accept", fail)
    with pytest.raises(MemoryError):
        parsed("{}")


def test_extra_is_loaded_after_a_megabyte(monkeypatch):
    monkeypatch.setattr(json_decoding, "accept", json_decoding.counted)
    monkeypatch.setattr(json_decoding, "_left", 1_000_000)
    texts = [f'"{"a" * 499_998}"', b'"' + b"b" * 499_998 + b'"', "[1]"]
    readers = []
    for text in texts:
        assert parsed(text) == json.loads(text)
        readers.append(json_decoding.accept)
    assert readers == [json_decoding.counted, json_decoding.counted, fast_json.decode or scanned]


def test_extra_reads_it():
    assert runpy.run_path(fast_json.__file__)["decode"]("[1]") == [1]


def test_without_extra_python_reads_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec.json", None)
    monkeypatch.setattr(fast_json, "decode", runpy.run_path(fast_json.__file__)["decode"])
    monkeypatch.setattr(json_decoding, "accept", json_decoding.counted)
    monkeypatch.setattr(json_decoding, "_left", 0)
    assert parsed('{"a":1}') == {"a": 1}
    assert json_decoding.accept is scanned
