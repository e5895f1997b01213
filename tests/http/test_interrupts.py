"""After Ctrl-C at any line of ``_http`` nothing is left open once the core is closed."""

import gc
import sys
from contextlib import suppress

import pytest

from comfydeploy import ComfyDeployCore
from comfydeploy._http import network
from comfydeploy._http.loading import LOCK
from comfydeploy.funcs.run_get import run_get

FOLDER = network.__file__.rpartition("network")[0]


@pytest.fixture(autouse=True)
def quick_collections():
    """Freeze earlier objects, so that the garbage collector checks only those of a test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def is_finalizing(frame):
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def interrupted(call, at):
    """Interrupt a call at one of its lines; return whether it has so many lines."""
    left = at

    def trace(frame, event, _):
        nonlocal left
        if not frame.f_code.co_filename.startswith(FOLDER) or frame.f_code.co_name == "__del__":
            return None  # Python ignores exceptions of finalizers
        if event == "line" and not is_finalizing(frame):
            left -= 1
            if not left:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
        with suppress(RuntimeError):  # a tracer, unlike a signal, can come between a `with` block and its end
            while True:
                LOCK.release()
    return left <= 0


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of a socket without references yet
def test_ctrl_c_leaves_no_connection(raw, answer):
    server = raw(answer(200, b'{"id": "r", "status": "queued"}'))
    for warm in (True, False):
        line = 1
        while True:
            core = ComfyDeployCore(bearer="k", server_url=server.url)
            client = core.connections.client(lasting=False)
            if warm:
                run_get(core, "r")
            reached = interrupted(lambda core=core: run_get(core, "r"), line)
            gc.collect()
            ledger = client._transport._pool._ledger
            assert len(ledger._taken) == len(ledger._idle), line
            assert len(client.network._sockets) == len(ledger._idle), line
            core.close()
            gc.collect()
            assert not client.network._sockets, line
            if not reached:
                break
            line += 1
        assert line > 50
