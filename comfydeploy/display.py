"""Runs that are shown while they go on, and values as HTML.

>>> from comfydeploy.display import LiveDisplay
>>> with LiveDisplay() as live:
...     run = client.run.queue_and_wait(request, on_queued=live, on_update=live)

In a notebook it is an output of the cell that is updated, elsewhere a line on standard error.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from time import monotonic
from types import TracebackType
from typing import Any, Self, TextIO, TypeVar, overload

from comfydeploy._display.cards import card_of
from comfydeploy._display.page import card_html
from comfydeploy._display.progress import Progress
from comfydeploy._display.screens import Screen, screen
from comfydeploy.errors import ComfyDeployError
from comfydeploy.mapping import MapItem
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.result import Failure, Success

__all__ = ["LiveDisplay", "html"]

T = TypeVar("T")


class LiveDisplay:
    """Shows runs as they go on: in a notebook an output that is updated, elsewhere a line on standard error.

    It is called with the id of a new run, a state of a run, a result, or an item of a watch or of a map, and returns
    what it is called with: give it as ``on_queued`` and ``on_update``. ``over`` yields what it is given and shows it.
    What goes wrong with the display itself ends the display, and nothing else.

    Args:
        file: Where the lines go, in place of standard error or of the notebook.
        clock: Returns the time in seconds.
    """

    def __init__(self, file: TextIO | None = None, *, clock: Callable[[], float] = monotonic) -> None:
        self._progress = Progress()
        self._screen: Screen | None = screen(file)
        self._clock = clock
        self._began: float | None = None
        self._shown_at: float | None = None
        self._is_pending = False

    def __call__(self, state: T) -> T:
        """Show a state and return it."""
        self._shield(self._take, state)
        return state

    @overload
    def over(self, items: Iterable[T], *, total: int | None = None) -> Iterator[T]: ...
    @overload
    def over(self, items: AsyncIterable[T], *, total: int | None = None) -> AsyncIterator[T]: ...
    def over(
        self, items: Iterable[T] | AsyncIterable[T], *, total: int | None = None
    ) -> Iterator[T] | AsyncIterator[T]:
        """Yield the items of a watch or of a map, and show each.

        Args:
            items: A watch, a map, or any other iterator of what the display can be called with.
            total: How many jobs the map has, for a bar.
        """
        self._progress.total = total
        return self._over_async(items) if isinstance(items, AsyncIterable) else self._over(items)

    def close(self) -> None:
        """Show the last state for good."""
        if self._is_pending:
            self._shield(self._show, last=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ComfyDeployError):
            self(Failure(error))
        self.close()

    def _over(self, items: Iterable[T]) -> Iterator[T]:
        with self:
            for item in items:
                yield self(item)

    async def _over_async(self, items: AsyncIterable[T]) -> AsyncIterator[T]:
        with self:
            async for item in items:
                yield self(item)

    def _take(self, state: Any) -> None:
        progress = self._progress
        match state:
            case str():
                progress.take_run(state, None)
            case WorkflowRunModel():
                progress.take_run(state.id, state)
            case Success():
                self._take(state.unwrap())
                return
            case Failure():
                self._take_error(state.failure())
            case MapItem(index=-1):
                self._take(state.result)
                return
            case MapItem():
                self._take_job(state)
                return
            case _:
                return
        self._show(last=progress.is_over)

    def _take_error(self, error: Any) -> None:
        run_id: str | None = getattr(error, "run_id", None)
        if run_id is None:
            self._progress.take_problem(str(error))
        else:
            self._progress.take_run(run_id, getattr(error, "run", None), str(error))

    def _take_job(self, item: MapItem) -> None:
        error = item.result.failure() if isinstance(item.result, Failure) else None
        run: WorkflowRunModel | None = getattr(error, "run", None) if error else item.result.unwrap()
        status = str(run.status) if run else "error" if error else "success"
        self._progress.take_job(item.key, status, item.saved, str(error) if error else None)
        self._is_pending = True
        pause = self._screen.pause if self._screen else 0.0
        if self._shown_at is None or self._clock() - self._shown_at >= pause:
            self._show(last=False)

    def _show(self, *, last: bool) -> None:
        now = self._clock()
        self._began = now if self._began is None else self._began
        self._shown_at = now
        self._is_pending = not last
        if self._screen is not None:
            self._screen.show(self._progress, now - self._began, last=last)

    def _shield(self, action: Callable[..., None], *arguments: object, **named: object) -> None:
        try:
            action(*arguments, **named)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a display that cannot be shown must not end a wait that is paid for
            self._screen = None


def html(value: object, *, addresses: bool = False) -> str:
    """Return a model, or a list of models, as the HTML that a notebook shows of it.

    Args:
        value: A run, an output, a file, a deployment, a page of a list, ...
        addresses: Leave the signed part in the addresses of links, which open the files for about an hour.
    """
    return card_html(card_of(value), addresses=addresses)
