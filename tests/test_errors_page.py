"""The table of ``docs/errors.md`` against the behaviour of a call that creates a run."""

import re
from pathlib import Path
from typing import get_args

import pytest

from comfydeploy import Failure, RetryConfig, errors, mapping, outcome
from comfydeploy._wire.exchange import Exchange, Pause
from comfydeploy._wire.fate import maybe_executed
from comfydeploy._wire.reply import Reply
from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs import run_queue
from comfydeploy.models.secret import Secret
from comfydeploy.options import RequestOptions

PAGE = (Path(__file__).parent.parent / "docs" / "errors.md").read_text(encoding="utf-8")
CREATING, ENDS = (
    re.findall(r"^\| `.*$", part, re.MULTILINE) for part in PAGE.split("## Values")[0].split("Once a run")
)
ROWS = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in CREATING]
EVERY_FATE = ("ConnectionError", "RequestTimeoutError", "RequestAbortedError", "UnexpectedClientError")
CLASSES = {kind.__name__ for kind in get_args(errors.Error)}
# The options of a call that is neither a stream nor a wait.
EXPECTED = {("SDKValidationError", "not_sent"), ("InvalidRequestError", "not_sent")} | {
    (name, "answered") for name in ("SDKValidationError", "HTTPValidationError", "SDKError")
}
EXPECTED |= {(name, fate) for name in EVERY_FATE for fate in ("not_sent", "unknown")}


def parts(row):
    name = re.match(r"`(\w+)`", row[0])[1]
    codes = [int(code) for code in re.findall(r"\d+", row[0])]
    return name, codes, row[1].strip("`"), *row[2:]


def outcomes(name, codes, fate):
    """The behaviours of the server or the transport for an error of this row."""
    if codes == [200]:
        return [Reply(200, {"content-type": "text/html"}, b"<html>")]
    if name == "HTTPValidationError":
        detail = b'{"detail": [{"loc": ["body"], "msg": "no", "type": "t"}]}'
        return [Reply(422, {"content-type": "application/json"}, detail)]
    if codes:
        return [Reply(code, {"content-type": "application/json"}, b'{"detail": "no"}') for code in codes]
    if name in EVERY_FATE:
        return [getattr(errors, name)("no", fate)]
    if (name, fate) == ("SDKValidationError", "answered"):
        return [Reply(200, {"content-type": "application/json"}, b"[]")]
    return []  # nothing was sent


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2]))
def test_row_matches_the_client(row):
    name, codes, fate, again, blamed, money = parts(row)
    assert blamed in ("caller", "service", "network")
    assert money == ("no" if again.startswith(("yes", "no, mend", "no, you", "no, see")) else "perhaps")
    for outcome_ in outcomes(name, codes, fate):
        call = Exchange(
            ComfyDeployCore(bearer="k"),
            run_queue.OPERATION,
            {"deployment_id": "d"},
            RequestOptions(retries=RetryConfig()),
            0.0,
        )
        call.prepare(Secret("k"), 0.0)
        step = call.settle(outcome_, 0.0)
        assert isinstance(step, Pause) == (again == "yes")
        assert maybe_executed(outcome_) == (money == "perhaps")
        if isinstance(step, Failure):
            error = step.failure()
            assert (type(error).__name__, error.fate) == (name, fate)
            if (fate, money) == ("unknown", "perhaps"):
                assert "may have been created" in str(error)


def test_every_error_has_its_rows():
    assert {parts(row)[0] for row in ROWS} == CLASSES
    assert {(parts(row)[0], parts(row)[2]) for row in ROWS} == EXPECTED


def test_every_end_has_its_row():
    named = [re.match(r"\| `(\w+)`", row)[1] for row in ENDS]
    kinds = {*get_args(outcome.RunEnd), outcome.DeadlineExceeded, outcome.PollFailed, errors.MalformedEvent}
    kinds |= {outcome.DownloadIncomplete, mapping.JobUnresolved}
    assert sorted(named) == sorted([*(kind.__name__ for kind in kinds), *EVERY_FATE])
