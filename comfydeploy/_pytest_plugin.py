"""Fixtures for pytest: a local server for each test, and clients that reach it through memory.

Every run of pytest loads it where the package is installed, so it imports the rest only for a test that needs it.
"""

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from comfydeploy import ComfyDeploy, ComfyDeployCore
    from comfydeploy.emulator import Emulator

_MARKER = "comfydeploy_emulator"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{_MARKER}(**arguments): the arguments of the fixture's Emulator.")


@pytest.fixture
def comfydeploy_emulator(request: pytest.FixtureRequest) -> "Iterator[Emulator]":
    """Yield a local server for this test, on a free port, whose runs take no time.

    Under ``--disable-socket --allow-unix-socket`` of pytest-socket it has no port.
    ``@pytest.mark.comfydeploy_emulator(clock="manual", ...)`` gives other arguments to its ``Emulator``.
    """
    from comfydeploy.emulator import Emulator

    arguments: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise TypeError(f"The mark {_MARKER} takes arguments of Emulator by their names, not {marker.args[0]!r}")
        arguments |= marker.kwargs
    # pytest-socket blocks the creation of sockets: without a port, clients reach the server through memory.
    if socket.socket.__module__.partition(".")[0] == "pytest_socket":
        arguments.setdefault("port", None)
    # With a manual clock the test is about time.
    arguments.setdefault("pace", 1 if arguments.get("clock") == "manual" else 0)
    with Emulator(**arguments) as emulator:
        yield emulator


@pytest.fixture
def comfydeploy_core(comfydeploy_emulator: "Emulator") -> "Iterator[ComfyDeployCore]":
    """Yield a core for the standalone functions, connected to ``comfydeploy_emulator`` without a socket."""
    from comfydeploy import ComfyDeployCore

    with ComfyDeployCore(**_connected(comfydeploy_emulator)) as core:
        yield core


@pytest.fixture
def comfydeploy_client(comfydeploy_emulator: "Emulator") -> "Iterator[ComfyDeploy]":
    """Yield a raising client, connected to ``comfydeploy_emulator`` without a socket."""
    from comfydeploy import ComfyDeploy

    with ComfyDeploy(**_connected(comfydeploy_emulator)) as client:
        yield client


@pytest.fixture
def comfydeploy_environment(comfydeploy_emulator: "Emulator", monkeypatch: pytest.MonkeyPatch) -> "Emulator":
    """Set ``COMFYDEPLOY_API_KEY`` and ``COMFYDEPLOY_SERVER_URL`` to ``comfydeploy_emulator``, for code that reads them.

    No other fixture sets them.
    """
    monkeypatch.setenv("COMFYDEPLOY_API_KEY", comfydeploy_emulator.bearer)
    monkeypatch.setenv("COMFYDEPLOY_SERVER_URL", comfydeploy_emulator.url)
    return comfydeploy_emulator


def _connected(emulator: "Emulator") -> dict[str, Any]:
    return {
        "bearer": emulator.bearer,
        "server_url": emulator.url,
        "transport": emulator.transport,
        "async_transport": emulator.async_transport,
    }
