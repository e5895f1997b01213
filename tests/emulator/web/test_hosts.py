import re

import pytest

from comfydeploy._emulator.web.hosts import AllowedHosts, origin_pattern

OURS = ["localhost:3011", "LOCALHOST", "app.localhost", "127.0.0.1:3011", "[::1]:3011", "192.168.1.5", "0.0.0.0:1"]
OTHERS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    "[",
    "a b",
    "localhost/x",
    "a@localhost",
]


@pytest.mark.parametrize("host", [*OURS, "host.docker.internal:3011"])
def test_names_of_this_computer_are_allowed(host):
    assert AllowedHosts().allows(host)


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_are_refused(host):
    assert not AllowedHosts(["comfydeploy"]).allows(host)


def test_options_allow_further_names():
    assert AllowedHosts(["ComfyDeploy"]).allows("comfydeploy:3011")
    assert all(AllowedHosts(["*"]).allows(host) for host in OTHERS)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("https://app.localhost", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:5173", True),
        ("https://app.example.com", True),
        ("https://app.example.com:444", False),
        ("https://appxexample.com", False),
        ("http://localhost.evil.example", False),
        ("http://localhost:3000.evil.example", False),
        ("null", False),
    ],
)
def test_origins_are_of_this_computer_or_named(origin, allowed):
    assert bool(re.fullmatch(origin_pattern(["https://app.example.com/"]), origin)) is allowed
    assert re.fullmatch(origin_pattern(["*"]), origin)
