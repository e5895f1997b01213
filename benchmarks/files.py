"""The memory for the upload and the download of a large file, compared with bare httpx.

Each contender works in its own process and reports how far its resident memory rose above that of a small file.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx

from benchmarks.table import Section, Target
from comfydeploy import ComfyDeployCore, unwrap
from comfydeploy.funcs.file_upload import file_upload
from comfydeploy.funcs.run_first_result import run_first_result

SIZE: Final = 200 * 1024 * 1024
SMALL: Final = 64 * 1024
_PIECE: Final = bytes(SMALL)


def sections(*, quick: bool) -> Iterator[Section]:
    """Download a large file and upload one."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for size in (SMALL, SIZE):
            with (Path(folder) / f"{size}.png").open("wb") as file:
                file.truncate(size)
        figures = {name: [_measured(name, url, folder) for _ in range(1 if quick else 5)] for name in CONTENDERS}
    growth = {name: [one["growth"] for one in those] for name, those in figures.items()}
    targets = [Target(f"MB of memory for 200 MiB: {name}", name, at_most=8, of="figure") for name in _OURS]
    yield Section("200 MiB: growth of memory", "MB", growth, targets)
    yield Section("200 MiB: time", "ms", {name: [one["seconds"] for one in those] for name, those in figures.items()})


def _measured(name: str, url: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.files", name, url, folder]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return figures


def _httpx_down(url: str, folder: Path, size: int) -> None:
    with (
        httpx.stream("POST", f"{url}/run", content=str(size)) as response,
        (folder / "httpx.out").open("wb") as file,
    ):
        for chunk in response.iter_bytes():
            file.write(chunk)


def _ours_down(url: str, folder: Path, size: int) -> None:
    with ComfyDeployCore(bearer="k", server_url=url) as core:
        request = {"deployment_id": "d", "inputs": {"size": size}}
        assert unwrap(run_first_result(core, request, to=folder / "ours.out")).size == size


def _httpx_up(url: str, folder: Path, size: int) -> None:
    with (folder / f"{size}.png").open("rb") as file:
        assert int(httpx.post(f"{url}/file/upload", files={"file": file}, timeout=60).json()["file_url"]) > size


def _ours_up(url: str, folder: Path, size: int) -> None:
    with ComfyDeployCore(bearer="k", server_url=url) as core:
        assert int(unwrap(file_upload(core, folder / f"{size}.png")).file_url) > size


CONTENDERS: Final[dict[str, Callable[[str, Path, int], None]]] = {
    "httpx: stream to a file": _httpx_down,
    "run_first_result(to=...)": _ours_down,
    "httpx: post(files=...)": _httpx_up,
    "file_upload": _ours_up,
}
_OURS: Final = ("run_first_result(to=...)", "file_upload")


def _measure(name: str, url: str, folder: Path) -> None:
    work = CONTENDERS[name]
    work(url, folder, SMALL)
    before = _most()
    began = time.perf_counter()
    work(url, folder, SIZE)
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"growth": _most() - before, "seconds": seconds}))


def _most() -> int:
    # Not by `resource`, which includes the memory of the parent at the start of this process.
    return 1024 * int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0])


def _accept(listening: socket.socket) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as reader:
        while line := reader.readline():
            length = 0
            while (header := reader.readline().lower()) not in (b"\r\n", b""):
                length = int(header.split(b":")[1]) if header.startswith(b"content-length") else length
            if b"/file/upload" in line:
                received = 0
                while received < length:
                    received += len(reader.read(min(length - received, SMALL)))
                body = b'{"file_url": "%d"}' % received
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                connection.sendall(b"content-length: %d\r\n\r\n%b" % (len(body), body))
            else:
                size = SIZE if str(SIZE).encode() in reader.read(length) else SMALL
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % size)
                for _ in range(size // SMALL):
                    connection.sendall(_PIECE)


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
