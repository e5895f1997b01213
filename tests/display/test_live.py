"""A live display shows the progress of runs and maps: a line in a terminal, or an output in a notebook."""

import asyncio
import io
import sys
import types

import httpx
import pytest

from comfydeploy import ComfyDeploy, ComfyDeployCore, Failure, Success, errors
from comfydeploy.display import LiveDisplay, html
from comfydeploy.funcs.run_watch import run_watch, run_watch_async
from comfydeploy.mapping import MapItem
from comfydeploy.models import MediaItem, WorkflowRunModel, WorkflowRunOutputModel
from comfydeploy.outcome import PollFailed, RunFailed

RUN_ID = "0f39d351-bcff-43b2-b2c7-d04d19f43000"
SIGNED = "https://storage.test/a/cat.png?X-Amz-Signature=5ec2e7"
CLEARED = "\x1b[K"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class TerminalFile(io.StringIO):
    encoding = "ascii"

    def isatty(self):
        return True


class Output:
    """The output of a cell, as IPython has it."""

    def __init__(self):
        self.states = []

    def __call__(self, bundle, *, raw, display_id):
        assert raw
        assert display_id
        self.states.append(bundle)
        return self

    def update(self, bundle, *, raw):
        assert raw
        self.states.append(bundle)

    @property
    def texts(self):
        return [bundle["text/plain"] for bundle in self.states]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def notebook(monkeypatch):
    output = Output()
    shell = type("ZMQInteractiveShell", (), {"__module__": "ipykernel.zmqshell"})()
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = output
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return output


def run(status="running", run_id=RUN_ID, **more):
    return WorkflowRunModel(id=run_id, status=status, **more)


def item(index, status="success", saved=()):
    ended = run(status)
    result = Success(ended) if status == "success" else Failure(RunFailed(f"bad {SIGNED}", ended, RUN_ID))
    return MapItem(index, f"job-{index}", {}, RUN_ID, 1, list(saved), result)


def test_a_terminal_has_one_line(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    file = TerminalFile()
    live = LiveDisplay(file, clock=clock)
    assert live(RUN_ID) == RUN_ID
    clock.now += 1.25
    live(run("queued", queue_position=3))
    live(run(progress=0.4, live_status="Executing KSampler with a name that is longer than the line"))
    clock.now += 60
    ended = Success(run("success", progress=1.0))
    assert live(ended) is ended
    assert file.getvalue().split("\r") == [
        "",
        f"run 0f39d351  queued  0.0 s{CLEARED}",
        f"run 0f39d351  queued  position 3 in the queue  1.2 s{CLEARED}",
        f"run 0f39d351  running  40%  Executing KSampler with a name th?  1.2 s{CLEARED}",
        f"run 0f39d351  success  1 min 01 s{CLEARED}\n",
    ]
    live.close()
    assert file.getvalue().count("\n") == 1


def test_a_pipe_has_a_line_for_each_status(clock):
    file = io.StringIO()
    with LiveDisplay(file, clock=clock) as live:
        for state in (run("queued"), run(), run(progress=0.5)):
            live(state)
        clock.now += 10
        live(run(progress=0.6))
        live(run(progress=0.7))
    assert file.getvalue().splitlines() == [
        "run 0f39d351  queued  0.0 s",
        "run 0f39d351  running  0.0 s",
        "run 0f39d351  running  60%  10.0 s",
        "run 0f39d351  running  70%  10.0 s",
    ]


def test_line_has_no_control_characters(clock):
    file = io.StringIO()
    LiveDisplay(file, clock=clock)(run("\x1b[2J"))
    assert file.getvalue() == "run 0f39d351  \ufffd[2J  0.0 s\n"


def test_standard_error_is_the_default(capsys):
    LiveDisplay()(run("success"))
    assert capsys.readouterr().err.startswith("run 0f39d351  success  ")


def test_several_runs(clock, notebook):
    live = LiveDisplay(clock=clock)
    live("a")
    live(run(run_id="b", progress=0.5, live_status="x"))
    live(Failure(PollFailed(errors.InvalidRequestError("no"), run_id="a")))
    live(run("success", run_id="c"))
    assert notebook.texts[-1].splitlines() == [
        "Runs  3 runs",
        "  elapsed  0.0 s",
        "  a  queued        A poll failed and is tried again: no",
        "  b  running  50%  x",
        "  c  success",
    ]
    file = io.StringIO()
    lines = LiveDisplay(file, clock=clock)
    for name in "abcd":
        lines(name)
    assert file.getvalue().splitlines()[1:] == [
        "run a  queued  run b  queued  0.0 s",
        "run a  queued  run b  queued  run c  queued  0.0 s",
        "4 runs  4 queued  0.0 s",
    ]


def test_a_failed_poll_is_forgotten(clock):
    file = io.StringIO()
    live = LiveDisplay(file, clock=clock)
    live(Failure(PollFailed(errors.InvalidRequestError("no"), run_id=RUN_ID)))
    live(run())
    assert file.getvalue().splitlines()[0].endswith("queued  A poll failed and is tried again: no  0.0 s")
    assert file.getvalue().splitlines()[1] == "run 0f39d351  running  0.0 s"


def test_a_notebook_has_one_output(clock, notebook):
    with LiveDisplay(clock=clock) as live:
        live(RUN_ID)
        live(run(progress=0.4))
        clock.now += 5
        live(Failure(RunFailed("KSampler: bad", run("failed"), RUN_ID)))
    assert notebook.texts == [
        f"Run  {RUN_ID}  queued\n  elapsed  0.0 s",
        f"Run  {RUN_ID}  running\n  progress  40%\n  elapsed   0.0 s",
        f"Run  {RUN_ID}  failed\n  KSampler: bad\n  elapsed  5.0 s",
    ]
    assert "<progress" in notebook.states[1]["text/html"]


def test_the_shell_of_ipython_is_a_terminal(notebook, monkeypatch, capsys):
    shell = type("TerminalInteractiveShell", (), {"__module__": "IPython.terminal.interactiveshell"})()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    LiveDisplay()(run("success"))
    assert notebook.states == []
    assert capsys.readouterr().err


def test_a_map_in_a_notebook(clock, notebook, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    live = LiveDisplay(clock=clock)
    items = [item(0, saved=[tmp_path / "a.png"]), item(1, "failed"), item(2)]
    assert list(live.over(items, total=4)) == items
    assert notebook.texts[0] == "Map  1 of 4 jobs ended\n  progress  25%\n  success   1\n  elapsed   0.0 s\n  a.png"
    assert len(notebook.texts) == 2  # the others arrived within the pause
    assert notebook.texts[1].splitlines() == [
        "Map  3 of 4 jobs ended",
        "  progress  75%",
        "  failed    1",
        "  success   2",
        "  elapsed   0.0 s",
        "  last failures",
        "    job-1  bad https://storage.test/a/cat.png",
        "  a.png",
    ]
    assert "5ec2e7" not in str(notebook.states)
    assert "data:image/png;base64," in notebook.states[1]["text/html"]


def test_a_map_in_a_terminal(clock):
    file = TerminalFile()
    live = LiveDisplay(file, clock=clock)
    for one in live.over(iter([item(0), item(1, "failed")])):
        clock.now += one.index + 1
    broken = MapItem(-1, "", {}, None, 0, [], Failure(errors.InvalidRequestError("no")))
    list(live.over([broken]))
    assert file.getvalue().split("\r")[1:] == [
        f"1 job  1 success  0.0 s{CLEARED}",
        f"2 jobs  1 failed  1 success  1.0 s{CLEARED}",
        f"2 jobs  1 failed  1 success  3.0 s{CLEARED}\n",
        f"2 jobs  1 failed  1 success  no  3.0 s{CLEARED}\n",
    ]


def test_an_empty_map_and_other_values(clock, notebook):
    live = LiveDisplay(clock=clock)
    assert list(live.over([])) == []
    assert live(3) == 3
    assert live(Success(3)).unwrap() == 3
    assert notebook.states == []


def test_broken_display_breaks_nothing_else(clock):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError

    live = LiveDisplay(Full(), clock=clock)
    assert live(RUN_ID) == RUN_ID
    assert live(run("success")).is_success

    class Greedy(io.StringIO):
        def write(self, text):
            raise MemoryError

    with pytest.raises(MemoryError):
        LiveDisplay(Greedy(), clock=clock)(RUN_ID)


def serving(*statuses):
    """A server that answers with these statuses, one after the other."""
    left = list(statuses)

    def answer(_):
        status = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(200, json={"id": RUN_ID, "run_id": RUN_ID, "status": status, "progress": 0.5})

    return httpx.MockTransport(answer)


def test_a_watch(clock):
    file = io.StringIO()
    with ComfyDeployCore(bearer="k", transport=serving("cancelled")) as core:
        (end,) = LiveDisplay(file, clock=clock).over(run_watch(core, RUN_ID))
    assert isinstance(end, Failure)
    assert file.getvalue() == "run 0f39d351  cancelled  The run was cancelled before its first node  0.0 s\n"


def test_an_async_watch(clock):
    file = io.StringIO()

    async def watched():
        async with ComfyDeployCore(bearer="k", async_transport=serving("success")) as core:
            return [one async for one in LiveDisplay(file, clock=clock).over(run_watch_async(core, RUN_ID))]

    assert len(asyncio.run(watched())) == 1
    assert file.getvalue() == "run 0f39d351  success  0.0 s\n"


def test_what_a_client_raises_is_shown(clock):
    file = io.StringIO()
    client = ComfyDeploy(bearer="k", transport=serving("cancelled"))
    with client, pytest.raises(errors.ComfyDeployError), LiveDisplay(file, clock=clock) as live:
        client.run.wait(RUN_ID, on_update=live)
    assert "cancelled before its first node" in file.getvalue()
    with pytest.raises(KeyError), LiveDisplay(file, clock=clock):
        raise KeyError


def test_what_was_never_created_is_shown(clock, notebook):
    live = LiveDisplay(clock=clock)
    live(Failure(errors.InvalidRequestError("no such server")))
    assert notebook.texts == ["Run  error\n  no such server\n  elapsed  0.0 s"]
    file = io.StringIO()
    LiveDisplay(file, clock=clock)(Failure(errors.InvalidRequestError("no such server")))
    assert file.getvalue() == "no such server  0.0 s\n"


def test_whole_addresses_in_html_are_optional():
    file = MediaItem(url=SIGNED, type="output", filename="cat.png")
    ended = run("success", outputs=[WorkflowRunOutputModel(id="o", run_id="r", data={"images": [file]})])
    assert "5ec2e7" not in html(ended)
    assert f'href="{SIGNED}"' in html(ended, addresses=True)
