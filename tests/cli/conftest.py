"""Commands in this process, started as by a shell, and the schema of their output."""

import json
import signal
from importlib.resources import files

import jsonschema
import pytest

from comfydeploy._cli.process import run_command

SCHEMA = json.loads(files("comfydeploy._cli").joinpath("schema.json").read_text(encoding="utf-8"))

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Done:
    """A command that has ended: its exit code and its output."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    @property
    def records(self):
        """The records of ``--json``, each checked against the schema; the last one is the only result."""
        records = [json.loads(line) for line in self.out.splitlines()]
        for record in records:
            jsonschema.Draft202012Validator(SCHEMA).validate(record)
        assert [record["type"] for record in records].index("result") == len(records) - 1
        assert records[-1]["exit_code"] == self.code
        return records

    @property
    def result(self):
        return self.records[-1]


@pytest.fixture(autouse=True)
def signals():
    """Restore the handlers of signals after each test."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path, signals):
    """Run a command against a server: ``shell(emulator, "run", "picture")``."""
    monkeypatch.chdir(tmp_path)

    def run(server, *arguments):
        capsys.readouterr()
        monkeypatch.setenv("COMFYDEPLOY_API_KEY", server.bearer)
        monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", server.url)
        code = run_command(arguments)
        return Done(int(code), *capsys.readouterr())

    yield run
    assert {number: signal.getsignal(number) for number in SIGNALS} == signals
