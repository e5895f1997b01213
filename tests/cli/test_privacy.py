"""No output contains secrets."""

import json
import re

import click
import pytest

from comfydeploy._cli.commands import comfydeploy
from comfydeploy._cli.privacy import Privacy
from comfydeploy.core import ComfyDeployCore
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_logs import run_logs
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.models.secret import Secret
from comfydeploy.result import unwrap

KEY = "key-of-the-test"
SIGNED = "https://bucket.example/cat.png?X-Amz-Signature=abc&X-Amz-Expires=3600"
SHOWN = [
    (f"Bearer {KEY}", "Bearer [redacted]"),
    (f"cat.png\t{SIGNED}", "cat.png\thttps://bucket.example/cat.png"),
    (f'{{"url": "{SIGNED}"}}', '{"url": "https://bucket.example/cat.png"}'),
    ("http://user:word@proxy:3128 is used", "http://[redacted]@proxy:3128 is used"),
    ("is it a cat? yes", "is it a cat? yes"),
    ("https://a.example/#part", "https://a.example/"),
    ('{"cd_token": "ey.J"}', '{"cd_token": "[redacted]"}'),
    ("a cat @ night", "a cat @ night"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_text(text, shown):
    assert Privacy(key=Secret(KEY)).shown(text) == shown


def test_addresses_keep_their_signed_part():
    privacy = Privacy(addresses=True, key=Secret(KEY))
    assert privacy.shown(SIGNED) == SIGNED
    assert privacy.shown(f"https://a.example/?cd_token=abc&key={KEY}") == (
        "https://a.example/?cd_token=[redacted]&key=[redacted]"
    )
    assert "proof" not in privacy.shown("https://a.example/hook?webhook_reference=7&webhook_token=proof")


def test_json():
    value = {"url": SIGNED, "list": [KEY, 3, None], KEY: True}
    assert Privacy(key=Secret(KEY)).shown_json(value) == {
        "url": "https://bucket.example/cat.png",
        "list": ["[redacted]", 3, None],
        KEY: True,
    }


@pytest.fixture
def server():
    with Emulator(pace=0, bearer=KEY, quirks=["noisy-logs", "expiring-addresses"]) as running:
        yield running


COMMANDS = [
    ("run", "picture"),
    ("run", "picture", "--addresses"),
    ("run", KEY),
    ("run", "picture", "-i", f"no={KEY}"),
    ("list",),
    ("find", KEY, "--deployment", "picture"),
    ("deployments",),
    ("upload", "cat.png"),
    ("doctor",),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_no_command_prints_the_key(server, shell, tmp_path, arguments, as_json):
    (tmp_path / "cat.png").write_bytes(b"png")
    done = shell(server, *arguments, *as_json)
    assert KEY not in done.out + done.err


def test_signed_part_only_with_addresses(server, shell):
    run = ("run", "picture", "--key", "one")
    assert "?" not in shell(server, *run).out
    assert "?" not in json.dumps(shell(server, *run, "--json").result["data"]["run"]["files"])
    assert "?" in shell(server, *run, "--addresses").out
    assert "?" in shell(server, *run, "--addresses", "--json").result["data"]["run"]["files"][0]["url"]


def test_logs_have_no_webhooks(server, shell):
    server.deliver_to(lambda _, start: start("200 OK", []) or [b""])
    request = {"deployment_id": server.deployments["picture"], "webhook": "http://a.example/?webhook_token=proof"}
    with ComfyDeployCore(bearer=KEY, server_url=server.url) as core:
        run_id = unwrap(run_queue_and_wait(core, request)).id
        raw = " ".join(entry.log for entry in unwrap(run_logs(core, run_id)))
    assert "webhook_token=proof" in raw
    for arguments in (("logs", run_id), ("logs", "-f", run_id), ("logs", run_id, "--json"), ("wait", run_id, "--json")):
        done = shell(server, *arguments)
        assert "proof" not in done.out
        assert "a.example" not in done.out
        assert done.out


def test_no_command_takes_the_key():
    """What is typed is in the history of the shell, and the arguments of a process are in lists of processes."""
    context = click.Context(comfydeploy)
    found = [
        (name, option.name)
        for name in comfydeploy.list_commands(context)
        for option in comfydeploy.get_command(context, name).params
        if re.search("key|bearer|token|secret|password", option.name)
    ]
    # The keys of runs, and the key that a local server accepts.
    assert found == [("run", "key"), ("find", "keys"), ("emulator", "bearer")]
