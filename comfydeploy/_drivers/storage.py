"""Downloads from storage, blocking and async: into memory, under a name or into an open file."""

import time
from pathlib import Path
from time import monotonic
from typing import IO, Final, TypeAlias, cast

from comfydeploy._drivers.call import check_core
from comfydeploy._drivers.files import media_file, unwritten
from comfydeploy._drivers.receiving import Terms, checked_terms, opened, opened_async, receive, receive_async
from comfydeploy._drivers.run_life import traced
from comfydeploy._drivers.sinks import Sink, Target, is_path
from comfydeploy._http.sending import send, send_async
from comfydeploy._wire.exchange import Pause
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.storage import Downloadable, StorageExchange
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.models.media_file import MediaFile
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Result, Success

Downloaded: TypeAlias = MediaFile | Path | IO[bytes]

_SPAN: Final = "comfydeploy.file_download"


def fetch(
    core: ComfyDeployCore, file: Downloadable, options: RequestOptions | None, to: Target | None, terms: Terms
) -> Result[Downloaded, Error]:
    """Download a file, and return the ``MediaFile``, the path or the open file."""
    with traced(_SPAN) as work:
        result = _fetched(core, file, options, to, terms)
        work.end(result)
        return result


def _fetched(
    core: ComfyDeployCore, file: Downloadable, options: RequestOptions | None, to: Target | None, terms: Terms
) -> Result[Downloaded, Error]:
    try:
        check_core(core)
        exchange = StorageExchange(core, file, options, monotonic())
        checked_terms(terms)
        with opened(Sink(to)) as sink:
            while True:
                outcome = send(core.connections, exchange.prepare(monotonic()))
                step = exchange.settle(outcome, monotonic())
                if isinstance(step, Reply):
                    error = receive(step, sink, terms)
                    if error is None:
                        return Success(_value(to, step, sink, sink.commit()))
                    step = exchange.settle_body(error, monotonic()) if sink.restart() else error
                elif isinstance(outcome, Reply) and outcome.source is not None:
                    outcome.source[0].close()
                if not isinstance(step, Pause):
                    return Failure(step)
                time.sleep(step.seconds)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)


async def fetch_async(
    core: ComfyDeployCore, file: Downloadable, options: RequestOptions | None, to: Target | None, terms: Terms
) -> Result[Downloaded, Error]:
    """Download a file, and return the ``MediaFile``, the path or the open file, async."""
    with traced(_SPAN) as work:
        result = await _fetched_async(core, file, options, to, terms)
        work.end(result)
        return result


async def _fetched_async(
    core: ComfyDeployCore, file: Downloadable, options: RequestOptions | None, to: Target | None, terms: Terms
) -> Result[Downloaded, Error]:
    from asyncio import sleep, to_thread

    try:
        check_core(core)
        exchange = StorageExchange(core, file, options, monotonic())
        checked_terms(terms)
        async with opened_async(Sink(to)) as sink:
            while True:
                outcome = await send_async(core.connections, exchange.prepare(monotonic()))
                step = exchange.settle(outcome, monotonic())
                if isinstance(step, Reply):
                    error = await receive_async(step, sink, terms)
                    if error is None:
                        return Success(_value(to, step, sink, await to_thread(sink.commit)))
                    step = exchange.settle_body(error, monotonic()) if await to_thread(sink.restart) else error
                elif isinstance(outcome, Reply) and outcome.source is not None:
                    await outcome.source[0].aclose()
                if not isinstance(step, Pause):
                    return Failure(step)
                await sleep(step.seconds)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a function never raises
        return unwritten(error)


def _value(to: Target | None, reply: Reply, sink: Sink, content: bytes) -> Downloaded:
    if to is None:
        return media_file(reply, sink, content)
    return Path(to) if is_path(to) else cast("IO[bytes]", to)
