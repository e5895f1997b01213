"""The common options and arguments of commands."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from comfydeploy._cli.options import ids_from, since

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1).astimezone()),
        ("", None),
        ("d", None),
        ("-3d", None),
        ("yesterday", None),
        ("99999999999w", None),
    ],
)
def test_since(text, moment):
    assert since(text, NOW) == moment


def test_ids_of_stdin_are_first_words():
    lines = ["a\tsuccess\n", "\n", "b  failed", "a"]
    assert ids_from(["c", "-", "c"], lambda: lines) == ["c", "a", "b"]


def test_no_id_in_stdin_is_a_usage_error(emulator, shell, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n \n"), "utf-8"))
    done = shell(emulator, "wait", "-", "--json")
    assert (done.code, done.result["error"]["kind"]) == (2, "UsageError")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("run", "picture", "--deadline", "0"), "expected seconds above 0, got 0"),
        (("list", "--since", "soon"), "expected an age such as 2h, or a time such as 2026-01-31T08:00, got 'soon'"),
        (("run", "picture", "--detach", "-o", "x"), "--detach does not wait for the run"),
        (("run",), "Missing argument 'DEPLOYMENT'"),
        (("nope",), "No such command 'nope'"),
    ],
)
def test_usage_errors(emulator, shell, arguments, reason):
    done = shell(emulator, *arguments)
    assert done.code == 2
    assert f"Error: {reason}" in done.err or reason in done.err
    assert "Try 'comfydeploy" in done.err
    as_json = shell(emulator, *arguments, "--json")
    assert (as_json.result["outcome"], as_json.result["error"]["kind"]) == ("usage", "UsageError")


def test_stdin_that_is_not_text(emulator, shell, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), "utf-8"))
    assert shell(emulator, "wait", "-").code == 1


def test_missing_key_is_a_usage_error(emulator, shell):
    class Keyless:
        bearer, url = "", emulator.url

    done = shell(Keyless, "list", "--json")
    assert done.code == 2
    assert "COMFYDEPLOY_API_KEY is not set" in done.result["error"]["message"]


def test_help_goes_with_zero(emulator, shell):
    for arguments in (("--help",), ("run", "--help"), ("--version",), ("--schema",)):
        assert shell(emulator, *arguments).code == 0
