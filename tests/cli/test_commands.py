"""The command line, as users type it."""

import inspect
import os
import runpy
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from comfydeploy import __main__, __version__
from comfydeploy._cli.commands import comfydeploy
from comfydeploy._emulator.backend import Settings
from comfydeploy.emulator import Emulator, Quirk

FAILING = "71dcad40-97ed-5938-8cac-3e5f19f195ab"


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMFYDEPLOY_API_KEY", raising=False)
    runner = CliRunner()
    return lambda *arguments, **env: runner.invoke(comfydeploy, arguments, env=env)


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_help_explains_all_commands(cli):
    text = cli("--help").output
    assert all(f"  {command} " in text for command in comfydeploy.list_commands(None))
    assert all(option in cli("emulator", "--help").output for option in ("--data", "--comfyui", "--workflows"))
    assert "COMFYDEPLOY_API_KEY" in cli("demo", "--help").output
    assert __version__ in cli("--version").output


def test_emulator_lists_deployments_of_a_folder(cli, tmp_path, monkeypatch):
    (tmp_path / "a_long_name.json").write_text('{"1": {"class_type": "SaveImage", "inputs": {}}}')
    monkeypatch.setattr(Emulator, "serve_forever", lambda emulator, announce: announce(emulator))
    monkeypatch.setattr(Emulator, "url", "http://local/api")
    output = cli("emulator", "--comfyui", "http://127.0.0.1:8188", "--workflows", str(tmp_path)).output
    assert "  picture      " in output
    assert "  a_long_name  " in output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--comfyui", "127.0.0.1"), "Error: comfyui must be an address, such as http://127.0.0.1:8188"),
        (("--workflows", "."), "Error: workflows needs comfyui"),
    ],
)
def test_emulator_names_problems_of_comfyui(cli, arguments, reason):
    result = cli("emulator", *arguments)
    assert result.exit_code == 1
    assert reason in result.output


def test_demo_on_a_local_server(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("comfydeploy.emulator.Emulator", lambda: Emulator(pace=0))
    result = cli("demo")
    assert result.exit_code == 0, result.output
    for expected in ("run_queue", "run_stream", "run_get", "run_sync", "success", "an error", "404: Run not found"):
        assert expected in result.output
    pictures = list((tmp_path / "comfydeploy-demo").iterdir())
    assert len(pictures) == 3
    assert all(map(is_png, pictures))


def test_demo_on_another_server_reads_the_key(cli, emulator, tmp_path):
    arguments = (
        "demo",
        "--server-url",
        emulator.url,
        "--deployment-id",
        emulator.deployments["picture"],
        "--output",
        "out",
    )
    result = cli(*arguments, COMFYDEPLOY_API_KEY=emulator.bearer)
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.parametrize("missing", ["key", "deployment"])
def test_demo_on_another_server_names_its_needs(cli, emulator, missing):
    arguments = ["demo", "--server-url", emulator.url] + ([] if missing == "deployment" else ["--deployment-id", "d"])
    result = cli(*arguments, **({} if missing == "key" else {"COMFYDEPLOY_API_KEY": "k"}))
    assert result.exit_code == 2
    assert "COMFYDEPLOY_API_KEY" in result.output


def test_demo_prints_an_error_and_exits_with_1(cli, emulator):
    result = cli("demo", "--server-url", emulator.url, "--deployment-id", "d", COMFYDEPLOY_API_KEY="wrong")
    assert result.exit_code == 1
    assert "run_queue" in result.output
    assert "Invalid or expired token" in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_demo_of_a_failing_deployment(cli, emulator):
    result = cli("demo", "--server-url", emulator.url, "--deployment-id", FAILING, COMFYDEPLOY_API_KEY=emulator.bearer)
    assert result.exit_code == 1
    assert "failed" in result.output


def test_port_in_use_has_no_traceback(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = cli("emulator", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert result.output.startswith("Error: cannot listen on 127.0.0.1:")


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "comfydeploy._cli.process", None)
    with pytest.raises(SystemExit, match=r"pip install '\.\[cli\]'"):
        __main__.main()


def test_emulator_without_extra(cli, monkeypatch):
    monkeypatch.delitem(sys.modules, "comfydeploy.emulator")
    monkeypatch.setitem(sys.modules, "comfydeploy._emulator.deployments.outcomes", None)
    for command in ("emulator", "demo"):
        result = cli(command)
        assert result.exit_code == 1
        assert "the local server needs the extra: in a checkout, pip install '.[emulator]'" in result.output


def test_it_runs_as_a_module_as_well(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["comfydeploy", "--version"])
    with pytest.raises(SystemExit) as stop:
        # By its path: pytest loads a package that brings a plugin in a way that runpy does not understand.
        runpy.run_path(__main__.__file__, run_name="__main__")
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_every_option_of_the_server_reaches_it(cli, monkeypatch):
    served = []
    monkeypatch.setattr(Emulator, "serve_forever", lambda self, _: served.append(self))
    arguments = ("--pace", "0.5", "--seed", "7", "--cold-start", "9", "--queue-length", "3", "--retention", "5")
    assert cli("emulator", *arguments).exit_code == 0
    (emulator,) = served
    assert emulator._settings == Settings(data=None, seed=7, cold_start=9, queue_length=3, retention=5)
    assert emulator._clock.pace == 0.5


def test_every_setting_is_an_option():
    command = comfydeploy.get_command(None, "emulator")
    assert {option.name for option in command.params} - {"as_json"} == inspect.signature(Emulator).parameters.keys()


def test_time_can_be_left_to_the_control_route(cli, monkeypatch):
    served = []
    monkeypatch.setattr(Emulator, "serve_forever", lambda self, _: served.append(self))
    assert cli("emulator", "--clock", "manual", "--port", "0").exit_code == 0
    with served[0] as emulator:
        emulator.advance(1)


@pytest.mark.parametrize(("option", "value"), [("--pace", "-1"), ("--cold-start", "-1"), ("--retention", "0")])
def test_an_option_that_makes_no_sense_is_named(cli, option, value):
    result = cli("emulator", option, value)
    assert result.exit_code == 1
    assert f"Error: {option.strip('-').replace('-', '_')} must be a number" in result.output


def test_quirks_are_chosen_and_explained(cli, monkeypatch):
    served = []
    monkeypatch.setattr(Emulator, "serve_forever", lambda emulator, _: served.append(emulator))
    assert cli("emulator", "--quirks", "late-webhooks", "--quirks", "empty-sync").exit_code == 0
    assert cli("emulator", "--quirks", "all").exit_code == 0
    assert [emulator.quirks for emulator in served] == [{"late-webhooks", "empty-sync"}, set(Quirk)]
    assert Quirk.EMPTY_SYNC.explanation not in " ".join(cli("emulator", "--help").output.split())
    text = " ".join(cli("emulator", "--quirks", "help").output.split())
    for quirk in Quirk:
        assert f"{quirk} {quirk.explanation} {f'Here: {quirk.trigger}' if quirk.trigger else ''}".strip() in text


def test_unknown_quirk_is_refused(cli):
    result = cli("emulator", "--quirks", "slow-server")
    assert result.exit_code == 2
    assert all(f"'{name}'" in result.output for name in (*Quirk, "all", "slow-server"))


def served(*arguments, **env):
    command = [sys.executable, "-m", "comfydeploy", "emulator", "--port", "0", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"} | env
    )


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_emulator_outlives_its_reader():
    with served() as process:
        url = process.stdout.readline().split()[1].decode()
        process.stdout.close()
        assert httpx.get(f"{url}/nope").status_code == 401
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0


def test_emulator_serves_until_it_is_stopped(tmp_path):
    (tmp_path / f"{'猫' * 40}.json").write_text('{"1": {"class_type": "SaveImage", "inputs": {}}}')
    arguments = ("--comfyui", "http://127.0.0.1:9", "--workflows", str(tmp_path), "--bearer", "mine")
    with served(*arguments, "--data", str(tmp_path / "data"), PYTHONIOENCODING="cp1252") as process:
        lines = [process.stdout.readline() for _ in range(8)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    url, bearer, page = (line.split()[1].decode() for line in lines[:3])
    assert (url, bearer) == (f"{page}api", "mine")
    assert FAILING in b"".join(lines).decode()
    # Characters that the pipe cannot encode are replaced, and no line is broken at 80 columns.
    assert lines[7].startswith(b"  " + b"?" * 40 + b"  ")
    assert len(lines[7].split()[1]) == 36
