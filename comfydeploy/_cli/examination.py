"""The measurements of the doctor: the connection to the server, its certificate, clock and documents."""

import platform
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from comfydeploy._cli.deployment_names import all_deployments
from comfydeploy._cli.diagnosis import (
    Finding,
    clock_finding,
    drift_finding,
    key_finding,
    proxies_finding,
    tls_finding,
)
from comfydeploy._http.proxies import environment_proxies
from comfydeploy._http.tls import shared_context
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error, InvalidRequestError
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.workflow_runs import workflow_runs
from comfydeploy.hooks import HookContext, Hooks, Reply
from comfydeploy.models.document import Document
from comfydeploy.options import RequestOptions
from comfydeploy.result import Success

_PACKAGES: Final = ("attrs", "cattrs", "click", "httpx", "returns", "rich")
_PATIENCE: Final = 10.0
_OPTIONS: Final = RequestOptions(timeout=_PATIENCE, deadline=3 * _PATIENCE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def examine(key: str | None) -> Iterator[Finding]:
    """Yield the findings in order; checks that depend on a failed one are left out."""
    yield _versions()
    yield key_finding(key)
    clock = _Clock()
    with ComfyDeployCore(hooks=(Hooks(after_success=clock.on_success, after_error=clock.on_error),)) as core:
        if not isinstance(core.address, str):
            yield Finding("server", "problem", core.address.message)
            return
        yield Finding("server", "ok", core.address)
        proxies = _proxies()
        yield proxies
        if proxies.level == "ok" and proxies.text == "none":
            yield from _way(core.address)
        if key:
            yield from _api(core, clock)


class _Clock:
    """The ``Date`` of the last response."""

    def __init__(self) -> None:
        self.date: str | None = None

    def on_success(self, _: HookContext, reply: Reply) -> None:
        self.date = reply.headers.get("date")

    def on_error(self, _: HookContext, reply: Reply | None, __: Error) -> None:
        self.date = reply.headers.get("date") if reply else None


def _versions() -> Finding:
    from comfydeploy._version import __version__

    found: list[str] = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # pragma: no cover - one that is loaded without its metadata
            found.append(f"{name} ?")
    return Finding(
        "versions", "ok", ", ".join([f"comfydeploy {__version__}", f"Python {platform.python_version()}", *found])
    )


def _proxies() -> Finding:
    try:
        found = environment_proxies()
    except InvalidRequestError as error:
        return Finding("proxies", "problem", error.message)
    return proxies_finding({pattern: _address(proxy.url) if proxy else None for pattern, proxy in found.items()})


def _address(url: object) -> str:
    scheme, host, port = (getattr(url, name) for name in ("scheme", "host", "port"))
    return f"{scheme.decode()}://{host.decode()}" + (f":{port}" if port else "")


def _way(address: str) -> Iterator[Finding]:
    """Connect once without the client, to check the name, the connection and TLS separately."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
    begun = monotonic()
    try:
        with socket.create_connection((host, port), _PATIENCE) as connection:
            yield Finding("reach", "ok", f"{host}:{port} in {(monotonic() - begun) * 1000:.0f} ms")
            if parts.scheme == "https":
                with shared_context().wrap_socket(connection, server_hostname=host) as secured:
                    certificate = secured.getpeercert() or {}
                    yield tls_finding(secured.version(), str(certificate.get("notAfter", "")), datetime.now(UTC))
    except OSError as error:
        reason = error.strerror or str(error)
        yield Finding("reach", "problem", f"cannot connect to {host}:{port}: {reason}")


def _api(core: ComfyDeployCore, clock: _Clock) -> Iterator[Finding]:
    sent, begun = datetime.now(UTC), monotonic()
    listed = all_deployments(core, _OPTIONS)
    took = monotonic() - begun
    if clock.date is not None:
        yield clock_finding(clock.date, sent, datetime.now(UTC))
    if not isinstance(listed, Success):
        yield Finding("api", "problem", listed.failure().message)
        return
    deployments = listed.unwrap()
    yield Finding("api", "ok", f"the key is accepted; {len(deployments)} deployments in {took * 1000:.0f} ms")
    documents: list[Document] = [*deployments]
    for deployment in deployments[:1]:
        page = next(workflow_runs(core, deployment.workflow_id or "", _OPTIONS, limit=1), None)
        rows = page.unwrap() if isinstance(page, Success) else []
        documents += rows
        for row in rows[:1]:
            run = run_get(core, row.id, _OPTIONS)
            documents += [run.unwrap()] if isinstance(run, Success) else []
    yield drift_finding(documents)
