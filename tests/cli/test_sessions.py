"""Every session of the page and of ``transcripts.txt`` runs as shown, except for ids, times and durations.

Run as a program it writes what the commands of ``transcripts.txt`` print now.
"""

import io
import json
import re
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from comfydeploy._cli.exit_codes import Exit
from comfydeploy._cli.process import run_command
from comfydeploy.emulator import Emulator
from comfydeploy.models.run import ENDED

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
TRANSCRIPTS = Path(__file__).with_name("transcripts.txt")
BLOCKS = re.findall(r"^=== (.*)\n((?:(?!===).*\n)*)", TRANSCRIPTS.read_text(encoding="utf-8"), re.MULTILINE)

PROGRESS = re.compile(r"^(not-started|queued|started|running|uploading)  .*\n", re.MULTILINE)
FIXED = ("b4f8e47e-e77b-5227-a017-693eb36cdd5d", "e09fcd5a-24c0-55e1-86e7-13eeffd9e9a9")
FIXED += ("71dcad40-97ed-5938-8cac-3e5f19f195ab",)
NORMAL = (
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00)?", "TIME"),
    (r"TIME(\t|  )[\d.]+", r"TIME\1SECONDS"),
    (r"after [\d.]+ s\b", "after SECONDS"),
    (r'("(?:run_)?duration": )[\d.]+', r"\1SECONDS"),
    (r"in \d+ ms", "in MS"),
    (r"comfydeploy,? (?:version )?\d[^\"\n]*", "VERSIONS"),
    (r"(?:localhost|127\.0\.0\.1):\d+", "SERVER"),
    (r"img_\w+", "img_NAME"),
)


def normal(text, names):
    """Replace ids and keys by their order of appearance, and times by words."""
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)

    def name(found):
        return found[0] if found[0] in FIXED else names.setdefault(found[0], f"ID{len(names)}")

    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|cli-[0-9a-f]{16}", name, PROGRESS.sub("", text))


def until(condition):
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0)


class Stream(io.StringIO):
    def __init__(self, *, is_terminal):
        super().__init__()
        self.isatty = lambda: is_terminal


class Shell:
    """Runs the lines of a session in this process; ids that are typed stand for those that were printed.

    ``COLUMNS=40 command`` is in a terminal of that width, everything else in a pipe. ``command  ^C run_get`` is
    interrupted once the server has received that request, which it does not answer. ``fault`` orders one.
    """

    def __init__(self, server, monkeypatch):
        self._server = server
        self._monkeypatch = monkeypatch
        self._code = 0
        self.typed = {}
        self.printed = {}

    def run(self, line):
        until(self._is_at_rest)
        if line == "echo $?":
            return f"{self._code}\n"
        if line.startswith("fault "):
            _, operation, options = line.split(" ", 2)
            self._server.fail(operation, **json.loads(options))
            return ""
        output = ""
        for command in line.split(" | "):
            output = self._run(self._known(command), output)
        return output

    def _run(self, command, stdin):
        if command.startswith("head -"):
            return "".join(stdin.splitlines(keepends=True)[: int(command.removeprefix("head -"))])
        command, _, interrupted = command.partition("  ^C ")
        columns = re.match(r"COLUMNS=(\d+) ", command)
        stream = Stream(is_terminal=bool(columns))
        self._monkeypatch.setenv("COLUMNS", columns[1] if columns else "80")
        self._monkeypatch.setenv("TERM", "dumb")  # no live lines, which depend on the moment
        for name, value in (("stdin", io.StringIO(stdin)), ("stdout", stream), ("stderr", stream)):
            self._monkeypatch.setattr(sys, name, value)
        sender = threading.Thread(target=self._interrupt)
        if interrupted:
            self._server.fail(interrupted, times=1, hang=True, execute=interrupted == "run_queue")
            sender.start()
        try:
            self._code = run_command(shlex.split(command.removeprefix(columns[0] if columns else ""))[1:])
        except SystemExit as end:
            self._code = end.code
        if interrupted:
            sender.join()
        return stream.getvalue()

    def _is_at_rest(self):
        """Check whether all runs have ended, which takes no time of theirs, but some of the server."""
        return all(run.status in ENDED for run in self._server.runs)

    def _interrupt(self):
        until(lambda: not self._server.faults and self._is_at_rest())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def _known(self, command):
        real = {word: printed for printed, word in self.printed.items()}
        for shown, word in self.typed.items():
            command = command.replace(shown, real.get(word, shown))
        return command


@pytest.fixture
def session(monkeypatch, tmp_path):
    """Run a session and return each line with what it printed and what is shown, both without ids and times."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(b"png")
    (tmp_path / "jobs.csv").write_text("key,prompt\na,a cat\nb,a dog\n", encoding="utf-8")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def run(text):
        with Emulator(pace=0) as server:
            monkeypatch.setenv("COMFYDEPLOY_API_KEY", server.bearer)
            monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", server.url)
            if "(status 500)" in text and "$ fault" not in text:
                server.fail("run_queue", times=1, status=500, execute=True)
            shell = Shell(server, monkeypatch)
            for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                line, _, expected = step.partition("\n")
                output = shell.run(line)
                yield line, normal(output, shell.printed), normal(expected, shell.typed)

    return run


@pytest.mark.parametrize("text", SESSIONS, ids=range(len(SESSIONS)))
def test_session_of_the_page(session, text):
    for line, output, expected in session(text):
        assert output == expected, line


@pytest.mark.parametrize(("name", "text"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_transcript(session, name, text):
    for line, output, expected in session(text):
        assert output.rstrip("\n") == expected.rstrip("\n"), line


def test_transcripts_have_every_command():
    from comfydeploy._cli.commands import comfydeploy

    assert {name for name, _ in BLOCKS} == set(comfydeploy.list_commands(None)) | {"comfydeploy"}


def test_table_of_exit_codes():
    rows = re.findall(r"^\| (\d+) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(int(code)), code.word, code.meaning) for code in Exit]


def write_transcripts(folder):
    """Write what the commands print now."""
    blocks = []
    with pytest.MonkeyPatch.context() as patch:
        out = sys.stdout
        for name, text in BLOCKS:
            steps = list(session.__wrapped__(patch, folder)(text))
            blocks.append(f"=== {name}\n" + "".join(f"$ {line}\n{output}" for line, output, _ in steps))
            for left in folder.iterdir():
                if left.is_file():
                    left.unlink()
            sys.stdout = out
    TRANSCRIPTS.write_text("\n".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        write_transcripts(Path(made))
