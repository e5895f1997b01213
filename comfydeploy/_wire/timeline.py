"""Machines that make calls: their steps, their time and their deadline.

A machine is a generator. A driver carries out each step that it yields and sends it an ``Answer``, until it returns.
"""

from collections.abc import Callable, Collection, Generator
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from comfydeploy._wire.operation import Operation
from comfydeploy._wire.polling import Backoff, is_transient, requested_pause
from comfydeploy._wire.settings import checked_options, deadline_of
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy.errors import Error, SDKError
from comfydeploy.result import Result, Success

if TYPE_CHECKING:
    from comfydeploy._wire.upload import StorageUpload

R = TypeVar("R")

READ_LIMIT: Final = 30.0
"""Seconds for one read."""


class Send(NamedTuple):
    """Make a call, limited to ``seconds`` if given: the answer is its result.

    It is sent once, unless ``retries`` allows the retries of the caller's options.
    """

    operation: Operation[Any, Any]
    argument: Any
    seconds: float | None = None
    retries: bool = False


class Store(NamedTuple):
    """Send a file to a signed address of a storage: the answer is a ``Result[None, Error]``."""

    address: str
    upload: "StorageUpload"
    seconds: float | None


class Compute(NamedTuple):
    """Call a function that reads a file: the answer is its return value."""

    work: Callable[[], Any]


Action: TypeAlias = Sleep | Send | Store | Compute
Actions: TypeAlias = Generator[Action, Answer, R]


class Timeline:
    """The time of one machine: ``now`` is that of the last answer, ``deadline`` its end."""

    def __init__(self, now: float, deadline: float | None = None) -> None:
        self.now = now
        self.deadline = inf if deadline is None else deadline
        self.dice = 0.0

    @classmethod
    def beginning(cls, options: object, now: float) -> "Timeline":
        """Create the timeline of a call with these options; raise ``SDKValidationError`` for wrong ones."""
        deadline = deadline_of(checked_options(options), now)
        return cls(now, None if deadline is None else deadline.at)

    def sleep(self, seconds: float) -> Actions[None]:
        """Wait."""
        yield from self._done(Sleep(seconds))

    def compute(self, work: Callable[[], R]) -> Actions[R]:
        """Call a function that reads a file and return its return value."""
        computed: R = yield from self._done(Compute(work))
        return computed

    def send(
        self, operation: Operation[Any, R], argument: Any, *, until: float = inf, retries: bool = False
    ) -> Actions[Result[R, Error]]:
        """Make a call that ends at a time, and return its result."""
        seconds = min(self.deadline, until) - self.now
        sent = Send(operation, argument, None if seconds == inf else seconds, retries)
        result: Result[R, Error] = yield from self._done(sent)
        return result

    def store(self, address: str, upload: "StorageUpload") -> Actions[Result[None, Error]]:
        """Send a file to a signed address of a storage, with the retries of the caller's options."""
        seconds = self.deadline - self.now
        stored: Result[None, Error] = yield from self._done(Store(address, upload, None if seconds == inf else seconds))
        return stored

    def read(
        self, operation: Operation[Any, R], argument: Any, patience: float, *, final: Collection[int] = ()
    ) -> Actions[Result[R, Error]]:
        """Make a call that reads and return its result; retry transient errors for some seconds.

        ``final`` are the status codes of errors that another call would not change.
        """
        until = self.now + patience
        backoff = Backoff()
        while True:
            result = yield from self.send(operation, argument, until=self.now + READ_LIMIT)
            if isinstance(result, Success):
                return result
            error = result.failure()
            is_final = isinstance(error, SDKError) and error.status_code in final
            pause = max(backoff.next(self.dice), requested_pause(error))
            if is_final or not is_transient(error) or self.now + pause >= min(until, self.deadline):
                return result
            yield from self.sleep(pause)

    def _done(self, action: Action) -> Actions[Any]:
        answer = yield action
        self.now, self.dice = answer.now, answer.dice
        return answer.result
