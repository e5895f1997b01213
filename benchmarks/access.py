"""The cost of reaching the local server, through memory and over a socket, and how many streams it holds open.

The streams are in another process than the server, so that each of the two has its own limit of open files, which is
raised as far as the system allows. Linux only, as the memory is read from ``/proc``.
"""

import asyncio
import resource
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx

from comfydeploy import ComfyDeployCore
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue

CALLS: Final = 500
STARTS: Final = 50
STREAMS: Final = 10_000
UPLOAD: Final = 100_000_000


def main() -> None:
    """Print the table."""
    for name, port in {"without a port": None, "with a port": 0}.items():
        _print_row(f"start and stop {name}, ms", _each(STARTS, partial(_started, port)) * 1000)
    with Emulator(pace=0) as emulator:
        for name, settings in _ways(emulator).items():
            with ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **settings) as core:
                run_id = run_queue(core, {"deployment_id": emulator.deployments["picture"]}).unwrap().run_id
                _print_row(f"run_get {name}, ms", _each(CALLS, lambda: run_get(core, run_id).unwrap()) * 1000)  # noqa: B023 - called in the same round
                _print_row(f"run_get_async {name}, ms", asyncio.run(_awaited(core, run_id)) * 1000)
                _print_row(f"upload of 100 MB {name}, s", _uploaded(emulator, settings.get("transport")))
    _open_streams()


def _ways(emulator: Emulator) -> dict[str, dict[str, Any]]:
    memory = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    return {"through memory": memory, "over a socket": {}}


def _started(port: int | None) -> None:
    with Emulator(port=port):
        pass


def _each(times: int, work: Callable[[], object]) -> float:
    work()
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


async def _awaited(core: ComfyDeployCore, run_id: str) -> float:
    async with core:
        await run_get_async(core, run_id)
        began = time.perf_counter()
        for _ in range(CALLS):
            (await run_get_async(core, run_id)).unwrap()
        return (time.perf_counter() - began) / CALLS


def _uploaded(emulator: Emulator, transport: httpx.BaseTransport | None) -> float:
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    with httpx.Client(transport=transport, headers=headers, timeout=60) as client:
        began = time.perf_counter()
        client.post(f"{emulator.url}/file/upload", files={"file": ("a.png", bytes(UPLOAD))}).raise_for_status()
        return time.perf_counter() - began


def _open_streams() -> None:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    url, bearer, deployment_id = here.recv()
    before = _memory(process.pid)
    count = min(STREAMS, _raised() - 100)
    body = f'{{"deployment_id":"{deployment_id}"}}'
    request = (
        f"POST /api/run/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
    address = httpx.URL(url)
    with ExitStack() as exits:
        began = time.perf_counter()
        streams = [
            exits.enter_context(socket.create_connection((address.host, address.port or 0))) for _ in range(count)
        ]
        for stream in streams:
            stream.sendall(request)
        answered = sum(stream.recv(15) == b"HTTP/1.1 200 OK" for stream in streams)
        _print_row(f"streams answered of {count:,}", answered)
        _print_row("  until the last was answered, s", time.perf_counter() - began)
        here.send(None)
        _print_row("  open at once", here.recv())
        _print_row("  memory for each, KiB", (_memory(process.pid) - before) / count)
        began = time.perf_counter()
        httpx.get(f"{url}/deployments", headers={"authorization": f"Bearer {bearer}"}, timeout=60).raise_for_status()
        _print_row("  another call meanwhile, ms", (time.perf_counter() - began) * 1000)
    here.close()
    process.join()


def _serve(connection: Connection) -> None:
    _raised()
    # Time stands still, so that no stream ends.
    with Emulator(pace=1_000_000) as emulator:
        connection.send((emulator.url, emulator.bearer, emulator.deployments["picture"]))
        try:
            while True:
                connection.recv()
                connection.send(emulator.open_streams)
        except EOFError:
            pass


def _raised() -> int:
    """Raise the limit of open files, and return it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def _memory(process: int | None) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4


def _print_row(what: str, number: float) -> None:
    print(f"{what:<55} {number:>10,.2f}")


if __name__ == "__main__":
    main()
