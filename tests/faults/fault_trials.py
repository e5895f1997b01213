"""One trial: a call with a fault, what was observed of it, and how that differs from what is expected."""

import asyncio
import gc
import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self
from unittest import mock

from every_operation import PARTS, Call, every_call, last, last_async, part, routes
from fault_oracle import Expected, Setting, Trial, expected
from fault_table import FAULTS, NONE, Fault

from comfydeploy import BackoffStrategy, ComfyDeployCore, RequestOptions, RetryConfig, Success
from comfydeploy._drivers import call as call_driver
from comfydeploy._drivers import steps as steps_driver
from comfydeploy._drivers import storage as storage_driver
from comfydeploy._http import http1
from comfydeploy._http.h11_response import H11Response
from comfydeploy._http.tls import shared_context

BY_DEFAULT: Final = http1.new_response
FOLDER: Final = Path(__file__).parent
CERTIFICATES: Final = FOLDER.parent / "samples" / "certificates"
LIMITS: Final = (0.15, 1.5, 15.0)
"""Seconds for an answer that does not come. A trial whose result differs is repeated with more: the machine may be
busy, and a real fault does not depend on the limit."""

PATIENCE: Final = 30.0
"""Seconds for an answer that comes, and for a trial beyond its limits."""

_PAUSE: Final = 0.002
"""Seconds in place of any longer pause; without one, what waits for the clock would never rest."""

SERVER: Final = "server.invalid"
PROXY: Final = "proxy.invalid"
"""Names that lead to the port with the fault first, and to one without it after that."""

AT_ONCE: Final = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 3600.0))
PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Observed:
    """What became of a trial. ``left`` are descriptors that are open after the core was closed."""

    kind: str
    fate: str | None
    run_id: str | None
    requests: tuple[str, ...]
    others: int
    runs: int
    open: int
    left: int
    seconds: float
    escaped: str | None
    again: str

    def problems(self, trial: Trial, due: Expected, limit: float) -> list[str]:
        """Return how this differs from what is expected, and from what always holds."""
        found = []
        if self.escaped:
            found.append(f"escaped: {self.escaped}")
        pairs = (
            ("fate", self.fate, due.fate),
            ("requests", len(self.requests) + self.others, due.requests and due.requests + self.others),
            ("runs", self.runs, due.runs),
            ("open connections", self.open, due.open),
        )
        if due.kinds is not None and self.kind not in due.kinds:
            found.append(f"result {self.kind}, expected {' or '.join(sorted(due.kinds))}")
        found += [
            f"{name} {is_}, expected {should}" for name, is_, should in pairs if should is not None and is_ != should
        ]
        if due.run_id is not None and (self.run_id is not None) != due.run_id:
            found.append(f"run_id {self.run_id!r}")
        if self.left:
            found.append(f"{self.left} descriptors are left")
        if self.runs > 1:
            found.append(f"{self.runs} runs of one call")
        if self.runs and self.kind != "Success" and self.fate == "not_sent":
            found.append("a run exists, and its fate is not_sent")
        if self.others and trial.call.name not in ("file_download", "run_download", "run_map"):
            found.append(f"{self.others} requests at another host")
        if self.again != "Success":
            found.append(f"the next call: {self.again}")
        if self.seconds > 4 * limit + PATIENCE:
            found.append(f"took {self.seconds:.1f} s")
        return found


class Bench:
    """The server, and the world in which trials are made: no pauses, no proxies, certificates that are trusted."""

    def __init__(self) -> None:
        self.calls = every_call()
        self._exits = ExitStack()
        self._number = 0

    def __enter__(self) -> Self:
        enter = self._exits.enter_context
        self._folder = Path(enter(TemporaryDirectory()))
        self._service = enter(
            subprocess.Popen(
                [sys.executable, str(FOLDER / "fault_service.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        )
        assert self._service.stdin
        assert self._service.stdout
        self._exits.callback(self._service.stdin.close)
        self._service.stdin.write(json.dumps(routes(self.calls, self._folder)).encode() + b"\n")
        self._service.stdin.flush()
        self.ports = json.loads(self._service.stdout.readline())
        self._control = enter(socket.create_connection(("127.0.0.1", self.ports["control"])))
        self._reports = enter(self._control.makefile("rb"))
        trusted = self._folder / "trusted.pem"
        names = ("trusted", "expired", "misnamed")
        trusted.write_text("".join((CERTIFICATES / f"{name}.pem").read_text() for name in names))
        self._enter_world(trusted)
        self._runner = enter(asyncio.Runner())
        self._runner.get_loop()
        return self

    def _enter_world(self, trusted: Path) -> None:
        enter = self._exits.enter_context
        enter(mock.patch.object(logging.getLogger("comfydeploy"), "disabled", new=True))
        enter(mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(trusted)}))
        for name in [*PROXIES, *map(str.upper, PROXIES)]:
            os.environ.pop(name, None)
        shared_context.cache_clear()
        self._exits.callback(shared_context.cache_clear)
        self._ways: dict[str, list[int | None]] = {}
        enter(mock.patch.object(socket, "getaddrinfo", self._resolving(socket.getaddrinfo)))
        resting = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, _PAUSE)))
        for driver in (call_driver, steps_driver, storage_driver):
            enter(mock.patch.object(driver, "time", resting))
        real = asyncio.sleep
        enter(mock.patch.object(asyncio, "sleep", lambda seconds=0, result=None: real(min(seconds, _PAUSE), result)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def sequence(self, call: Call) -> tuple[str, ...]:
        """Return the requests of a call without faults, and check that it succeeds."""
        trial = Trial(call, NONE, Setting("plain"))
        seen = self._observed(trial, LIMITS[-1])
        if seen.escaped or seen.kind != "Success" or seen.left:
            raise AssertionError(f"{call.name} without a fault: {seen}")
        return seen.requests

    def problems(self, trial: Trial) -> tuple[list[str], Observed]:
        """Make a trial and return its problems; with more time where it differs."""
        found: list[str] = []
        for limit in LIMITS:
            seen = self._observed(trial, limit)
            name = trial.sequence[trial.at] if trial.sequence else trial.call.name
            struck = part(name) if name in PARTS else self.calls[name]
            found = seen.problems(trial, expected(trial, struck), limit)
            if not found:
                break
        return found, seen

    def _observed(self, trial: Trial, limit: float) -> Observed:
        self._number += 1
        number = str(self._number)
        fault = trial.fault
        token = f"{number}.{FAULTS.index(fault)}.{trial.at}.{trial.call.name}"
        origin = self._origin(fault)
        probe = self._origin(NONE)
        again = f"{probe}/{number}again.0.0.{self._repeated(trial.call).name}"
        before = _descriptors()
        began = time.monotonic()
        self._ways = self._leading(fault)
        parser = mock.patch.object(http1, "new_response", BY_DEFAULT if trial.is_fast else H11Response)
        with self._through(fault.proxy), parser:
            core = ComfyDeployCore(bearer="key-of-the-test", server_url=again)
            do = self._do_async if trial.is_async else self._do
            seen, opened, after = do(core, trial, f"{origin}/{token}", again, limit)
        seconds = time.monotonic() - began
        left = _descriptors() - before
        if left:
            gc.collect()
            left = _descriptors() - before
        report = self._report(number)
        result, escaped = seen
        error = None if result is None or isinstance(result, Success) else result.failure()
        return Observed(
            type(result).__name__ if error is None else type(error).__name__,
            getattr(error, "fate", None),
            getattr(error, "run_id", None),
            tuple(report.get("requests", ())),
            report.get("others", 0),
            report.get("created", 0),
            opened - before,
            left,
            seconds,
            escaped,
            after,
        )

    def _do(self, core: Any, trial: Trial, base: str, again: str, limit: float) -> Any:
        call, options = trial.call, _options(trial, base, limit)
        seen, opened, after = (None, None), 0, "Success"
        try:
            if trial.fault.before is not None:
                last(call.blocking(core, **call.arguments(base, self._folder), options=_usual(base)))
                self._report("")  # until the server has done what follows its answer
            result = last(call.blocking(core, **call.arguments(base, self._folder), options=options))
            seen = (result, None)
            opened = _descriptors()
            repeated = self._repeated(call)
            if not trial.fault.is_secure:
                given = repeated.arguments(again, self._folder)
                after = _kind(last(repeated.blocking(core, **given, options=_usual(again))))
        except Exception as error:
            seen = (None, repr(error))
        finally:
            core.close()
        return seen, opened, after

    def _do_async(self, core: Any, trial: Trial, base: str, again: str, limit: float) -> Any:
        return self._runner.run(self._done(core, trial, base, again, limit))

    async def _done(self, core: Any, trial: Trial, base: str, again: str, limit: float) -> Any:
        call, options = trial.call, _options(trial, base, limit)
        seen, opened, after = (None, None), 0, "Success"
        try:
            if trial.fault.before is not None:
                await last_async(call.awaited(core, **call.arguments(base, self._folder), options=_usual(base)))
                self._report("")
            result = await last_async(call.awaited(core, **call.arguments(base, self._folder), options=options))
            seen = (result, None)
            await _rest()
            opened = _descriptors()
            repeated = self._repeated(call)
            if not trial.fault.is_secure:
                given = repeated.arguments(again, self._folder)
                after = _kind(await last_async(repeated.awaited(core, **given, options=_usual(again))))
        except Exception as error:
            seen = (None, repr(error))
        finally:
            await core.aclose()
            await _rest()
        return seen, opened, after

    def _repeated(self, call: Call) -> Call:
        """Return the operation of the call that follows a fault: the same one, if it is one request."""
        return self.calls["run_get"] if call.reply == "steps" else call

    def _origin(self, fault: Fault) -> str:
        if fault.proxy is not None:
            return f"https://127.0.0.1:{self.ports[fault.listener]}"
        if fault.listener == "plain" and not fault.is_secure:
            return f"http://127.0.0.1:{self.ports['plain']}"
        return f"{'https' if fault.is_secure else 'http'}://{SERVER}"

    def _leading(self, fault: Fault) -> dict[str, list[int | None]]:
        good = self.ports["trusted" if fault.is_secure else "plain"]
        ways = {SERVER: [self.ports.get(fault.listener), good]}
        if fault.proxy is not None:
            ways[PROXY] = [self.ports.get(fault.proxy), self.ports["connecting"]]
        return ways

    def _through(self, proxy: str | None) -> Any:
        return ExitStack() if proxy is None else mock.patch.dict(os.environ, {"https_proxy": f"http://{PROXY}:1"})

    def _resolving(self, real: Any) -> Any:
        """Return a resolver of the names of a trial, which needs no network."""

        def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name not in (SERVER, PROXY):
                return real(host, port, *arguments, **named)
            if named.get("flags", 0) & socket.AI_NUMERICHOST:
                raise socket.gaierror(socket.EAI_NONAME, "not a number")
            ways = self._ways[name]
            leads_to = ways.pop(0) if len(ways) > 1 else ways[0]
            if leads_to is None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", leads_to))]

        return getaddrinfo

    def _report(self, number: str) -> dict[str, Any]:
        self._control.sendall(f"{number}\n".encode())
        found: dict[str, Any] = json.loads(self._reports.readline())
        return found


def _options(trial: Trial, base: str, limit: float) -> RequestOptions:
    waits = trial.fault.waits
    has_deadline = trial.setting.deadline
    timeout = limit if waits and not has_deadline else PATIENCE
    return RequestOptions(
        server_url=base,
        timeout=timeout,
        idle_timeout=timeout,
        deadline=None if not has_deadline else limit if waits else PATIENCE,
        retries=AT_ONCE if trial.setting.retries else None,
    )


def _usual(base: str) -> RequestOptions:
    return RequestOptions(server_url=base, timeout=PATIENCE, idle_timeout=PATIENCE)


def _kind(result: Any) -> str:
    return "Success" if isinstance(result, Success) else repr(result)


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - of the numbers only the count


async def _rest() -> None:
    for _ in range(4):
        await asyncio.sleep(0)
