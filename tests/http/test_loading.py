"""After a fork at any moment of the first call, the child can make calls."""

import json
import os
import subprocess
import sys

import pytest

CALLS = """
import asyncio, json, sys
from comfydeploy import ComfyDeployCore, RequestOptions
from comfydeploy.funcs.file_upload import file_upload, file_upload_async
from comfydeploy.funcs.run_get import run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async
from comfydeploy.funcs.run_stream import run_stream, run_stream_async
from comfydeploy.options import BackoffStrategy, RetryConfig

def calls(core):
    run_get(core, "r")
    run_get(core, "r", RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(1, 1, 1, 1))))
    run_get(core, "invalid")
    run_queue(core, {"deployment_id": "d", "inputs": {}})
    run_queue(core, {"deployment": "d"})
    file_upload(core, b"bytes", name="f.png")
    list(run_stream(core, {"deployment_id": "d"}).unwrap())

async def calls_async(core):
    await run_get_async(core, "r")
    await run_queue_async(core, {"deployment_id": "d", "inputs": {}})
    await file_upload_async(core, b"bytes", name="f.png")
    async for _ in (await run_stream_async(core, {"deployment_id": "d"})).unwrap(): pass

core = ComfyDeployCore(bearer="key-of-the-test", server_url=sys.argv[1])
"""
LISTED = f"""{CALLS}
from comfydeploy._http.loading import AWAITED, READING, load
load(AWAITED + READING)
before = set(sys.modules)
calls(core)
asyncio.run(calls_async(core))
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_first_call_imports_only_the_list(raw, answer):
    run = b'{"id": "r", "status": "success", "created_at": "2026-01-01T00:00:00Z", "outputs": []}'
    stream = b'event: event_update\ndata: {"event": "executing", "data": {"prompt_id": "r"}}\n\n'
    answers = [
        answer(200, run),
        answer(200, run),
        answer(422, b'{"detail": [{"loc": ["path"], "msg": "m", "type": "t"}]}'),
        answer(200, b'{"run_id": "r"}'),
        answer(200, b'{"file_url": "https://f"}'),
        answer(200, stream, "text/event-stream"),
        answer(200, run),
        answer(200, b'{"run_id": "r"}'),
        answer(200, b'{"file_url": "https://f"}'),
        answer(200, stream, "text/event-stream"),
    ]
    server = raw(*answers)
    done = subprocess.run(
        [sys.executable, "-c", LISTED, server.url], stdout=subprocess.PIPE, check=True, text=True, timeout=60
    )
    assert json.loads(done.stdout) == []
    assert len(server.requests) == len(answers)


FORKED = """
import os, signal, sys, threading
from comfydeploy import ComfyDeployCore, RequestOptions, Success
from comfydeploy._http.loading import CERTIFICATES, LOCK
from comfydeploy.funcs.run_get import run_get

core = ComfyDeployCore(bearer="key-of-the-test", server_url=sys.argv[1])
busy, forking = threading.Event(), threading.Event()

class Slow:
    def find_spec(name, *_):
        if name == "h11":
            busy.set()
            forking.wait(10)

def importing():
    sys.meta_path.insert(0, Slow)
    run_get(core, "r")

def locking():
    run_get(core, "r")
    with LOCK:
        busy.set()
        forking.wait(10)

def certifying():
    run_get(core, "r")
    with CERTIFICATES:
        busy.set()
        forking.wait(10)

thread = threading.Thread(target=globals()[sys.argv[2]])
thread.start()
busy.wait(10)
os.register_at_fork(before=forking.set)
child = os.fork()
if not child:
    signal.alarm(10)  # which ends the child if it waits for a lock of the thread that it does not have
    os._exit(not (CERTIFICATES.acquire(blocking=False) and isinstance(run_get(core, "r"), Success)))
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("busy", ["importing", "locking", "certifying"])
def test_child_of_fork_calls(raw, answer, busy):
    server = raw(answer(200, b'{"id": "r", "status": "queued"}'))
    command = [sys.executable, "-W", "ignore", "-c", FORKED, server.url, busy]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0\n", "")
