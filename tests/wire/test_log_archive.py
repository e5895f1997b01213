"""The reason of a failed run from its archived log."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.failure import Reason
from comfydeploy._wire.log_archive import archive_lines, archive_reason

OWN, OTHER = "32a5e820-590e-4a03-ab7b-98902b0a6334", "d8949739-9572-45f1-ba51-4e61d3f8ac8f"
BEGIN, BEGIN_UPPER = f"Executing prompt: {OWN}", f"Executing prompt: {OWN.replace('-', '').upper()}"
WEBHOOK = '{"type": "webhook", "url": "http://h/?proof=SECRET"}'


def reason(*entries, node_type=None):
    return archive_reason(archive_lines(entries, OWN), node_type)


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        (["__END__", "a", " __END__ ", "", "b "], ["a", "b"]),
        (["a\nb\r\nc\rd"], ["a", "b", "c", "d"]),
        ([WEBHOOK, f"a\n{WEBHOOK}\nb", '{\n "x": 1,\n "type" : "webhook",\n "url": "SECRET"'], ["a", "b"]),
        (["\x1b[1;31mred\x1b[0m", "\x1b]0;title\x07x", "\x1bMy"], ["red", "x", "y"]),
        (["\x1b[ 50%|\x1b"], ["\x1b[ 50%|\x1b"]),
        ([BEGIN, "a", f"b\nExecuting prompt: {OTHER}\nc", "d"], [BEGIN, "a", "b"]),
        ([BEGIN_UPPER, "a"], [BEGIN_UPPER, "a"]),
        (["\u2028a"], ["a"]),
    ],
)  # fmt: skip
def test_lines_of_run(entries, lines):
    assert archive_lines(entries, OWN) == lines


RAISED = "!!! Exception during processing !!! "


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([f"{RAISED}no", "Traceback (most recent call last):", "a.b.Odd: no", "Prompt done"], "A node: a.b.Odd: no"),
        ([f"{RAISED}no", "KeyError: other", "Status: failed"], "A node: no KeyError: other"),
        ([f"{RAISED}outer", "Traceback (", "ValueError: inner", "RuntimeError: outer"], "A node: RuntimeError: outer"),
        ([f"{RAISED}a:", "b", "c", "Status: running", "Traceback (", "OSError: a:", "b"], "A node: OSError: a: b c"),
        ([f"{RAISED}a", "b"], "A node: a"),
        ([RAISED, "Traceback (", "raise", "AssertionError", "Prompt done"], "A node: AssertionError"),
        ([RAISED], "A node: an exception without a type or a message"),
        ([f"{RAISED}a", f"Executing prompt: {OWN}", "At: 67% - K", f"Executing prompt: {OTHER}", "E: a"], "K: a"),
    ],
)  # fmt: skip
def test_node_exception(entries, text):
    found = reason(*entries)
    assert (found.kind, found.text) == ("node", text)


@pytest.mark.parametrize(
    ("entries", "kind", "message"),
    [
        ([RAISED], None, None),
        ([RAISED, "Traceback (", "AssertionError", "KeyError: a", "Status: x"], "AssertionError", None),
        ([RAISED, "a", "Traceback (", "E: a", "F: b"], None, "a"),
        ([f"{RAISED}a", "b", "Traceback (", "E: a", "F: b"], "E", "a\nb"),
        ([f"{RAISED}a", "Traceback (", "e.f: a", "E: a", "lower.case: a"], "E", "a"),
    ],
)  # fmt: skip
def test_type_and_message_of_exception(entries, kind, message):
    found = reason(*entries)
    assert (found.exception_type, found.exception_message) == (kind, message)


def test_node_at_work_wins():
    assert reason(f"{RAISED}a", "At: 67% - K", node_type="L").node_type == "L"


def test_failure_of_another_run_is_cut_off():
    assert reason("Prompt done", f"Executing prompt: {OTHER}", f"{RAISED}no") is None


def test_refused_nodes():
    found = reason("* Load Image 8:", "  - a", "- b", "Output will be ignored", "* K 9:", "* a note:", "* L 7:\n- c")
    assert (found.kind, found.node_id, found.node_type) == ("refused", "8", "Load Image")
    assert found.text == "Load Image (node 8): a, b; L (node 7): c"


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (["Session crashed in startup"], ("The session of the machine crashed in startup", None, None)),
        (["Session crashed in startup", "x", "Error in run: no luck: x"], ("no luck: x", None, "no luck: x")),
        (["Session crashed in startup", "Error in run: OSError: "], ("OSError:", "OSError", None)),
        (["Session crashed in startup", "Error in run: OSError: x: y"], ("OSError: x: y", "OSError", "x: y")),
    ],
)
def test_crash_in_startup(entries, found):
    crash = reason(*entries)
    assert (crash.kind, crash.text, crash.exception_type, crash.exception_message) == ("start", *found)


def test_error_before_crash_is_not_its_own():
    assert reason("Error in x: a", "Session crashed in startup").text == "The session of the machine crashed in startup"
    assert reason("Error in x: a") is None


def test_failed_upload_comes_last():
    upload = "Upload failed for r.png: no"
    assert (reason(upload).kind, reason(upload).text) == ("upload", upload)
    assert reason(upload, f"{RAISED}no").kind == "node"


PIECES = st.sampled_from([
    RAISED, "* K 8:", "- a", "Session crashed in startup", "Error in x: ", "Upload failed for ", "Traceback ", "K: a",
    "\n", "\r", "\x1b[", "\x1b]", BEGIN, f"Executing prompt: {OTHER}", WEBHOOK, "At: 5% - K", "__END__",
])  # fmt: skip


@given(st.lists(st.lists(PIECES | st.text(max_size=4), max_size=5).map("".join), max_size=10), st.none() | st.text())
def test_odd_logs_never_raise(entries, node_type):
    lines = archive_lines(entries, OWN)
    assert not [line for line in lines if not line or line == "__END__" or re.search("[\r\n]", line)]
    found = archive_reason(lines, node_type)
    assert isinstance(found, Reason | None)
    assert found is None or found.text
