"""Output to closed pipes, to full disks, and to terminals with few characters."""

import io
import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from comfydeploy._cli.process import run_command
from comfydeploy.emulator import Emulator, Fails, NodeOutput, Succeeds


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with Emulator(pace=0) as running:
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", running.bearer)
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", running.url)
        yield running


@pytest.fixture
def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    with io.TextIOWrapper(io.FileIO(writer, "w"), "utf-8") as stream:
        yield stream


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("deployments", "--json"),
        ("completion", "bash"),
        ("run", "picture", "-o", "out"),
        ("run", "picture", "--json"),
    ],
    ids=" ".join,
)
def test_reader_that_has_ended(server, closed_pipe, capfd, monkeypatch, arguments):
    run_command(["run", "picture", "--detach"])
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    capfd.readouterr()
    assert run_command(arguments) == (0 if arguments[0] == "run" else 141)
    err = capfd.readouterr().err
    assert "Traceback" not in err
    if arguments == ("run", "picture", "-o", "out"):
        # It goes on, and its id is written to stderr.
        assert f"Run {server.runs[-1].id}" in err
        assert len(list(Path("out").iterdir())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_disk(server, monkeypatch, capfd):
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert run_command(["run", "picture"]) == 0
    err = capfd.readouterr().err
    assert "Error: stdout: No space left on device" in err
    assert f"Run {server.runs[-1].id}" in err


def test_no_stdout_at_all(server, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", None)
    assert run_command(["run", "picture"]) == 0
    sys.stdout.close()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_characters_that_cannot_be_encoded(server, monkeypatch, encoding):
    server.script("picture", Succeeds([NodeOutput(texts=["a 猫"])]), times=2)
    for arguments in (["run", "picture"], ["run", "picture", "--json"]):
        content = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding))
        assert run_command(arguments) == 0
        text = content.getvalue().decode(encoding)
        if arguments[-1] == "--json":
            result = json.loads(text.splitlines()[-1])
            assert result["data"]["run"]["values"][0]["value"] == "a 猫"
        else:
            assert text.endswith("a ?\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Replace stdout within the test, after pytest has set its own."""
    monkeypatch.setenv("TERM", "xterm")
    return lambda: taken(monkeypatch)


def taken(monkeypatch):
    streams = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    return streams


def test_terminal_gets_no_control_characters(server, terminal):
    out, err = terminal()
    server.script("picture", Succeeds([NodeOutput(texts=["a \x1b[31mcat\x1b]0;title\x07\x9b2J"])]))
    server.script("picture", Fails("no \x1b[2Jmemory"))
    assert run_command(["run", "picture"]) == 0
    assert out.getvalue().endswith("a cat2J\n")
    assert run_command(["run", "picture"]) == 3
    assert "Error: KSampler (node 5): RuntimeError: no memory" in err.getvalue()


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_live_progress(terminal, monkeypatch, no_color, is_coloured):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", no_color)
    out, err = terminal()
    with Emulator(clock="manual") as still:
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", still.bearer)
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", still.url)

        def go_on():
            while not [request for request in still.requests if request.operation == "run_get"]:
                time.sleep(0)
            still.advance(60)

        other = threading.Thread(target=go_on)
        other.start()
        assert run_command(["run", "picture"]) == 0
        other.join()
        run_id = still.runs[0].id
        assert run_command(["watch", run_id, run_id]) == 0
    shown = err.getvalue()
    assert "not-started" in shown or "running" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")  # the cursor is hidden, and shown again
    assert ("\x1b[3" in shown) == is_coloured
    assert out.getvalue().startswith(f"{run_id}\n")
    assert out.getvalue().endswith(f"{run_id}\n  success\n")
