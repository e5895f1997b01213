"""The exit code of every result."""

from typing import get_args

import pytest

from comfydeploy import errors, mapping, outcome
from comfydeploy._cli.command_error import CommandError
from comfydeploy._cli.exit_codes import Exit, exit_code
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Failure, Success

RUN = WorkflowRunModel(id="r", status="failed")


def sdk(status, **more):
    return errors.SDKError("m", status, **more)


# Each error, with its code if the command creates no run and if it creates one.
TABLE = [
    (outcome.RunFailed("m", RUN, "r"), Exit.FAILED, Exit.FAILED),
    (outcome.RunCancelled("m", RUN, "r"), Exit.CANCELLED, Exit.CANCELLED),
    (outcome.RunTimedOut("m", RUN, "r"), Exit.TIMED_OUT, Exit.TIMED_OUT),
    (outcome.DeadlineExceeded("m", "r", RUN, "no"), Exit.DEADLINE, Exit.DEADLINE),
    (outcome.DownloadIncomplete("m", "r", (), ()), Exit.INCOMPLETE, Exit.INCOMPLETE),
    (mapping.JobUnresolved("m", "k"), Exit.UNKNOWN, Exit.UNKNOWN),
    (outcome.PollFailed(sdk(500)), Exit.ERROR, Exit.ERROR),
    (errors.MalformedEvent("m", "raw"), Exit.ERROR, Exit.ERROR),
    (errors.SDKValidationError("m"), Exit.USAGE, Exit.USAGE),
    (errors.SDKValidationError("m", fate="answered"), Exit.ERROR, Exit.UNKNOWN),
    (errors.InvalidRequestError("m"), Exit.USAGE, Exit.USAGE),
    (errors.InvalidRequestError("m", fate="unknown"), Exit.ERROR, Exit.UNKNOWN),
    (errors.HTTPValidationError([]), Exit.ERROR, Exit.ERROR),
    (sdk(404), Exit.ERROR, Exit.ERROR),
    (sdk(500), Exit.ERROR, Exit.UNKNOWN),
    (sdk(503), Exit.ERROR, Exit.UNKNOWN),
    (sdk(500, run_id="r"), Exit.ERROR, Exit.ERROR),
    (errors.ConnectionError("m", "not_sent"), Exit.ERROR, Exit.ERROR),
    (errors.ConnectionError("m", "unknown"), Exit.ERROR, Exit.UNKNOWN),
    (errors.RequestTimeoutError("m", "unknown"), Exit.ERROR, Exit.UNKNOWN),
    (errors.RequestAbortedError("m", "answered"), Exit.ERROR, Exit.UNKNOWN),
    (errors.UnexpectedClientError("m", "not_sent"), Exit.ERROR, Exit.ERROR),
]


@pytest.mark.parametrize(("error", "reading", "creating"), TABLE)
def test_code_of_each_error(error, reading, creating):
    assert exit_code(Failure(error), creates_run=False) is reading
    assert exit_code(Failure(error), creates_run=True) is creating


def test_table_has_every_error():
    assert {type(error) for error, *_ in TABLE} == set(get_args(CommandError))


def test_success_is_zero():
    assert exit_code(Success(None), creates_run=True) is Exit.OK


def test_codes_are_distinct_and_documented():
    assert len({int(code) for code in Exit}) == len(Exit) == 14
    assert all(code.meaning for code in Exit)
    assert Exit.of(3) is Exit.FAILED
