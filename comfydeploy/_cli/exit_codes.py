"""The exit codes: one table, and the code of each result."""

from enum import IntEnum
from typing import TYPE_CHECKING, Self, assert_never

from comfydeploy.result import Result

if TYPE_CHECKING:
    from comfydeploy._cli.command_error import CommandError
    from comfydeploy.errors import Error


class Exit(IntEnum):
    """An exit code, with its name in JSON and its meaning. Of several codes the highest one is used."""

    word: str
    meaning: str

    def __new__(cls, code: int, word: str, meaning: str) -> Self:
        """Create a code that is equal to its number."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.word = word
        made.meaning = meaning
        return made

    @classmethod
    def of(cls, code: int) -> "Exit":
        """Return the exit code with a number."""
        return {int(one): one for one in cls}[code]

    OK = 0, "ok", "done; a run has succeeded"
    ERROR = 1, "error", "the server refused or could not be reached, or its response could not be read"
    USAGE = 2, "usage", "wrong arguments, inputs or settings; nothing was sent that creates a run"
    FAILED = 3, "failed", "the run has failed"
    CANCELLED = 4, "cancelled", "the run was cancelled"
    TIMED_OUT = 5, "timed-out", "the machine's time limit ended the run"
    DEADLINE = 6, "deadline", "`--deadline` passed before the run ended"
    UNKNOWN = 7, "unknown", "it is not known whether a run was created: it may exist, and be billed"
    INCOMPLETE = 8, "incomplete", "files of a run are missing"
    NOT_FOUND = 9, "not-found", "no run has the key"
    HANGUP = 129, "interrupted", "ended by SIGHUP"
    INTERRUPT = 130, "interrupted", "ended by Ctrl-C (SIGINT)"
    NO_READER = 141, "no-reader", "the reader of the output has ended, as `head` does"
    TERMINATED = 143, "interrupted", "ended by SIGTERM"


def exit_code(result: "Result[object, CommandError]", *, creates_run: bool) -> Exit:
    """Return the exit code of a result; ``creates_run`` says whether the command creates a run."""
    from comfydeploy.result import Success

    return Exit.OK if isinstance(result, Success) else _code_of(result.failure(), creates_run=creates_run)


def _code_of(error: "CommandError", *, creates_run: bool) -> Exit:  # noqa: PLR0911 - a row for each kind of error
    from comfydeploy import errors, mapping, outcome

    match error:
        case outcome.RunFailed():
            return Exit.FAILED
        case outcome.RunCancelled():
            return Exit.CANCELLED
        case outcome.RunTimedOut():
            return Exit.TIMED_OUT
        case outcome.DeadlineExceeded():
            return Exit.DEADLINE
        case outcome.DownloadIncomplete():
            return Exit.INCOMPLETE
        case mapping.JobUnresolved():
            return Exit.UNKNOWN
        case outcome.PollFailed() | errors.MalformedEvent():
            return Exit.ERROR
        case errors.SDKValidationError() | errors.InvalidRequestError():
            return Exit.USAGE if error.fate == "not_sent" else _lost(error, creates_run=creates_run)
        case (
            errors.HTTPValidationError()
            | errors.SDKError()
            | errors.ConnectionError()
            | errors.RequestTimeoutError()
            | errors.RequestAbortedError()
            | errors.UnexpectedClientError()
        ):
            return _lost(error, creates_run=creates_run)
        case _ as never:
            assert_never(never)


def _lost(error: "Error", *, creates_run: bool) -> Exit:
    """Return whether an unknown run may exist."""
    from comfydeploy._wire.fate import is_refused

    return Exit.UNKNOWN if creates_run and error.run_id is None and not is_refused(error) else Exit.ERROR
