"""A process that ends with work half used: at once, and silently."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
HALF_USED = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from test_moments import ITERATED
from work import World

world = World(SimpleNamespace(url=sys.argv[1]), Path(sys.argv[2]))
world.clear()
kept = []
for work in ITERATED:
    if sys.argv[3] == "blocking":
        source = work.source(world)
        next(iter(source))
    else:
        async def begin():
            source = await work.source_async(world)
            await anext(aiter(source))
            return source
        source = asyncio.run(begin())
    kept.append(source)
    print(work.name)
if sys.argv[4] == "error":
    raise LookupError("of the caller")
"""


@pytest.mark.parametrize(("colour", "is_error"), [("blocking", True), ("async", False)], ids=["blocking", "async"])
def test_half_used(server, tmp_path, colour, is_error):
    command = [sys.executable, "-c", HALF_USED, server.url, tmp_path, colour, "error" if is_error else "end"]
    done = subprocess.run(command, check=False, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert set(done.stdout.split()) == {"run_stream", "run_logs_stream", "run_watch", "runs_list", "run_map"}
    assert done.returncode == is_error
    assert done.stderr.count("\n") == (3 if is_error else 0), done.stderr  # the traceback of the caller's error alone


READING = """
import threading, httpx
from comfydeploy import ComfyDeployCore
from comfydeploy.funcs.run_get import run_get

create = httpx.create_ssl_context

def late():
    threading.main_thread().join()
    context = create()
    print("read")
    return context

httpx.create_ssl_context = late
print(run_get(ComfyDeployCore(bearer="k", server_url="https://127.0.0.1:1"), "r").failure().fate, flush=True)
"""


def test_certificates_are_being_read():
    # Not during the end of the process, in which OpenSSL frees what the thread uses.
    done = subprocess.run([sys.executable, "-c", READING], check=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("not_sent\nread\n", "")
