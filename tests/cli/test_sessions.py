"""Every session of the page runs as shown, except for ids, times and durations."""

import io
import re
import shlex
import sys
import time
from pathlib import Path

import pytest

from comfydeploy._cli.exit_codes import Exit
from comfydeploy._cli.process import run_command
from comfydeploy.emulator import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
PROGRESS = re.compile(r"^(not-started|queued|started|running|uploading)  .*\n", re.MULTILINE)
FIXED = ("b4f8e47e-e77b-5227-a017-693eb36cdd5d", "e09fcd5a-24c0-55e1-86e7-13eeffd9e9a9")
FIXED += ("71dcad40-97ed-5938-8cac-3e5f19f195ab",)
NORMAL = (
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\t[\d.]+", "TIME\tSECONDS"),
    (r"after [\d.]+ s\b", "after SECONDS"),
    (r"in \d+ ms", "in MS"),
    (r"(?m)^(ok      versions  ).*", r"\1"),
    (r"(?:localhost|127\.0\.0\.1):\d+", "SERVER"),
)


def normal(text, names):
    """Replace ids and keys by their order of appearance, and times by words."""
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)

    def name(found):
        return found[0] if found[0] in FIXED else names.setdefault(found[0], f"ID{len(names)}")

    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|cli-[0-9a-f]{16}", name, PROGRESS.sub("", text))


class Terminal:
    """Runs the lines of a session in this process; ids that are typed stand for those that were printed."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch
        self._code = 0
        self.typed = {}
        self.printed = {}

    def run(self, line):
        if line == "echo $?":
            return f"{self._code}\n"
        output = ""
        for command in line.split(" | "):
            stream = io.StringIO()
            self._monkeypatch.setattr(sys, "stdin", io.StringIO(output))
            self._monkeypatch.setattr(sys, "stdout", stream)
            self._monkeypatch.setattr(sys, "stderr", stream)
            self._code = run_command(shlex.split(self._known(command))[1:])
            output = stream.getvalue()
        return output

    def _known(self, command):
        real = {word: printed for printed, word in self.printed.items()}
        for shown, word in self.typed.items():
            command = command.replace(shown, real.get(word, shown))
        return command


@pytest.mark.parametrize("session", SESSIONS, ids=range(len(SESSIONS)))
def test_session(session, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with Emulator(pace=0) as server:
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", server.bearer)
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", server.url)
        if "status 500" in session:
            server.fail("run_queue", times=1, status=500, execute=True)
        terminal = Terminal(monkeypatch)
        for step in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            line, _, expected = step.partition("\n")
            while not all(run.ended_at for run in server.runs):
                time.sleep(0)  # a run takes no time, but the server some
            output = terminal.run(line)
            assert normal(output, terminal.printed) == normal(expected, terminal.typed), line


def test_table_of_exit_codes():
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(int(code)), code.word, code.meaning) for code in Exit]
