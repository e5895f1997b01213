"""The body of an upload: a form with one file, as blocking and async iterators."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from comfydeploy._wire.upload import Window

__all__ = ["Window", "form", "form_async"]

_PIECE: Final = 64 * 1024
# One hand-over to a thread costs as much as copying this a few times.
_READ: Final = 1024 * 1024


def form(window: Window) -> Iterator[bytes]:
    """Yield the parts of the form, and report the bytes that were sent."""
    yield window.upload.head
    sent = 0
    while piece := window.read(_PIECE):
        yield piece
        sent += len(piece)
        _report(window, sent)
    yield window.upload.tail


async def form_async(window: Window) -> AsyncIterator[bytes]:
    """Yield the parts of the form, and report the bytes that were sent; read the file in a thread."""
    from asyncio import to_thread

    yield window.upload.head
    sent = 0
    while data := await to_thread(window.read, _READ):
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            yield piece
            sent += len(piece)
            _report(window, sent)
    yield window.upload.tail


def _report(window: Window, sent: int) -> None:
    if window.upload.progress is not None:
        window.upload.progress(sent, window.upload.size)
