"""Which outcomes of a request leave open whether it was executed."""

import pytest

from comfydeploy._wire.fate import is_refused, maybe_executed, with_fate
from comfydeploy._wire.reply import Reply
from comfydeploy.errors import ConnectionError, HTTPValidationError, SDKError, SDKValidationError

LOST = ConnectionError("lost", "unknown")


def test_status_of_request_not_executed():
    found = {status for status in range(200, 600) if not maybe_executed(Reply(status, {}))}
    # 400 is not among them: a run of `sync_first_result` was executed, and has no image.
    assert found == {401, 403, 404, 405, 413, 422, 429, 503}


def test_status_of_refused_creation():
    found = {status for status in range(200, 600) if is_refused(SDKError("m", status))}
    # 408 and 499 are of a proxy that gave up, whatever the server did; 303 follows what was executed.
    assert found == {*range(300, 500)} - {303, 408, 499}


@pytest.mark.parametrize(
    ("error", "is_proof"),
    [
        (ConnectionError("refused", "not_sent"), True),
        (HTTPValidationError([]), True),
        (LOST, False),
        (SDKValidationError("unreadable", fate="answered"), False),
    ],
)
def test_error_that_proves_nothing_was_created(error, is_proof):
    assert is_refused(error) is is_proof
    assert maybe_executed(error) is (error.fate != "not_sent")


def test_other_fate_keeps_the_rest():
    error = SDKError("m", 500, hint="Look first.")
    error.__cause__ = LOST
    found = with_fate(error, "unknown", "Wait.")
    assert (found.fate, found.hint, found.status_code, found.__cause__) == ("unknown", "Look first.", 500, LOST)
    assert with_fate(LOST, "not_sent", "Wait.").hint == "Wait."
    assert with_fate(LOST, "not_sent").hint is None
