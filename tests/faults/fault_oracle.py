"""The expected result of a trial: one pure function of the facts of the operation, the fault and the options."""

from dataclasses import dataclass, replace
from typing import Final

from every_operation import Call, is_creating
from fault_table import Fault

TIMEOUTS: Final = frozenset({"RequestTimeoutError", "DeadlineExceeded"})
REFUSED: Final = frozenset({429, 503})
RETRIED: Final = frozenset({429, 500, 502, 503, 504})
LATER: Final = frozenset({408, 429, 499})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
EXPIRED: Final = frozenset({400, 401, 403, 404, 410})
# How the requests of a composite are treated: repeated until they succeed, or as the operation itself would be.
PATIENT: Final = {
    "run_find": {"deployment_get", "runs_list"},
    "run_map_adopt": {"deployment_get", "runs_list"},
    "run_queue_and_wait": {"run_get"},
    "run_queue_once": {"deployment_get", "runs_list"},
    "run_wait": {"run_get"},
    "run_watch": {"run_get"},
}
PLAIN: Final = {
    "inputs_upload": {"file_upload"},
    "run_download": {"run_get"},
    "run_queue_and_wait": {"run_queue"},
}
NOT_SENT: Final = {"run_queue_once": {"deployment_get", "runs_list"}}
"""Requests before the one that creates the run: the fate of their errors is that of the run."""


@dataclass(frozen=True)
class Setting:
    """The options of a call."""

    name: str
    retries: bool = False
    deadline: bool = False


SETTINGS: Final = (
    Setting("plain"),
    Setting("retries", retries=True),
    Setting("deadline", deadline=True),
    Setting("retries and deadline", retries=True, deadline=True),
)


@dataclass(frozen=True)
class Trial:
    """One cell of the matrix: a call whose request ``at`` has a fault. ``sequence`` are the requests without one.

    ``is_fast``: responses are parsed by llhttp, where the extra ``speed`` is installed, and otherwise by h11.
    """

    call: Call
    fault: Fault
    setting: Setting
    is_async: bool = False
    is_fast: bool = False
    at: int = 0
    sequence: tuple[str, ...] = ()

    def __str__(self) -> str:
        colour = "async" if self.is_async else "blocking"
        place = f", request {self.at + 1}" if self.at else ""
        parser = "llhttp" if self.is_fast else "h11"
        return (
            f"{self.call.name} {colour}, {parser}, {self.fault.family}: {self.fault.name}, {self.setting.name}{place}"
        )


@dataclass(frozen=True)
class Outcome:
    """What one attempt comes to. ``open``: connections that stay open, ``None`` for any number."""

    kind: str
    fate: str | None = None
    open: int | None = 0


UNREAD: Final = Outcome("SDKError", "answered", None)
"""A body that is not read: the connection stays where all of it has been received."""


@dataclass(frozen=True)
class Expected:
    """What is expected of a trial; ``None`` is anything. ``most_runs`` are those that the server may have created."""

    kinds: frozenset[str] | None
    fate: str | None
    run_id: bool | None
    requests: int | None
    runs: int | None
    open: int | None


def is_possible(call: Call, fault: Fault, setting: Setting) -> bool:
    """Check whether a trial ends: an endless answer only at a deadline, and attempts where the fault is over once."""
    if fault.needs_deadline and not setting.deadline:
        return False
    if fault.before is not None and call.reply == "steps":
        return False
    return not (fault.is_lasting and (setting.retries or call.reply == "steps"))


def expected(trial: Trial, struck: Call) -> Expected:
    """Return the expected result of a trial; ``struck`` is the operation whose request has the fault."""
    if trial.is_fast and trial.fault.strict_effect is not None:
        trial = replace(trial, fault=replace(trial.fault, effect=trial.fault.strict_effect, keeps=False))
    if trial.call.reply != "steps":
        return _of_operation(trial.call, trial.fault, trial.setting)
    return _of_steps(trial, struck)


def _of_operation(call: Call, fault: Fault, setting: Setting) -> Expected:
    first = outcome(call, fault)
    more = 1 if _is_retried(call, fault, setting, first) else 0
    last = outcome_of_good(call) if more else first
    requests = fault.reaches + more
    runs = (fault.executed + more) if call.creates != "nothing" else 0
    if fault.effect == "redirect" and call.is_storage:
        last = Outcome("Success", None, 2)
    if fault.before is not None:
        requests += 1
    has_id = None
    if last.kind != "Success":
        has_id = call.creates == "nothing" and call.names_run
        if call.reply == "stream" and call.creates != "nothing" and fault.effect in ("cut", "stalled"):
            has_id = None  # as far as the events came
    return Expected(frozenset({last.kind}), last.fate, has_id, requests, runs, last.open)


def outcome_of_good(call: Call, *, keeps: bool | None = True) -> Outcome:
    """Return the outcome of a good answer. Where an event ends a stream, the body may or may not have ended as well."""
    return Outcome("Success", None, None if call.ends_itself or keeps is None else int(keeps))


def outcome(call: Call, fault: Fault) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - a table
    """Return the outcome of the struck attempt."""
    kept = 1 if fault.keeps else 0
    is_json, is_file = call.reply == "json", call.reply == "file"
    good = outcome_of_good(call, keeps=fault.keeps)
    broken = "unknown" if is_json else "answered"
    invalid = Outcome("SDKValidationError", "answered", kept)
    if call.is_storage and 200 <= fault.status < 400 and fault.status not in (200, *REDIRECTS):
        return UNREAD if fault.status < 300 else Outcome("SDKError", "answered", kept)
    if fault.is_complete and call.ends_itself:
        return good
    match fault.effect:
        case "good":
            return good
        case "refused":
            return Outcome("ConnectionError", "not_sent")
        case "late":
            return Outcome("RequestTimeoutError", "not_sent")
        case "lost":
            return Outcome("ConnectionError", "unknown")
        case "silent":
            return Outcome("RequestTimeoutError", "unknown")
        case "cut":
            return Outcome("ConnectionError", broken)
        case "stalled":
            return Outcome("RequestTimeoutError", broken)
        case "status":
            kind = "HTTPValidationError" if fault.status == 422 and not call.is_storage else "SDKError"
            return Outcome(kind, "answered", kept)
        case "redirect":
            return Outcome("SDKError", "answered", kept)
        case "other type":
            return good if is_file else Outcome("SDKError", "answered", kept)
        case "event stream":
            return good if not is_json else UNREAD
        case "not json":
            return invalid if is_json else Outcome("Success", None, kept)
        case "undecodable":
            return Outcome("ConnectionError", "answered", None) if call.reply == "stream" else UNREAD
        case "unknown encoding":
            return UNREAD
        case "truncated":
            if is_file:
                return Outcome("ConnectionError", "answered", kept)
            return invalid if is_json else Outcome("Success", None, kept)


def _is_retried(call: Call, fault: Fault, setting: Setting, first: Outcome) -> bool:
    """Check whether a struck attempt is followed by another: a run is never risked twice."""
    ends_at_deadline = fault.waits and (setting.deadline or fault.needs_deadline)
    if not setting.retries or first.kind == "Success" or ends_at_deadline:
        return False
    if first.kind in ("ConnectionError", "RequestTimeoutError"):
        is_begun = call.reply == "stream" and first.fate == "answered"
        return not is_begun and (call.creates == "nothing" or first.fate == "not_sent")
    codes = REFUSED if call.creates != "nothing" else RETRIED
    is_final = fault.status == 500 and call.final_500
    return fault.effect == "status" and fault.status in codes and not is_final


def _of_steps(trial: Trial, struck: Call) -> Expected:  # noqa: PLR0911 - a table
    """Return the expected result of a composite, of which only what always holds is checked where no line knows it."""
    name, fault, total = trial.call.name, trial.fault, len(trial.sequence)
    first = outcome(struck, fault)
    if not (fault.waits and trial.setting.deadline):
        if fault.effect == "good" and first.kind == "Success":
            created = sum(map(is_creating, trial.sequence))
            return Expected(frozenset({"Success"}), None, None, total, created, None)
        if struck.name in PATIENT.get(name, ()) and first.kind != "Success":
            if _is_transient(struck, fault, first):
                return Expected(frozenset({"Success"}), None, None, total + fault.reaches, None, None)
            fate = "not_sent" if struck.name in NOT_SENT.get(name, ()) else first.fate
            return Expected(frozenset({first.kind}), fate, None, trial.at + 1, None, None)
        alone = _of_operation(struck, fault, trial.setting)
        if struck.is_storage and alone.kinds != {"Success"}:
            # The address of a file that has expired is read again.
            if first.kind == "SDKError" and fault.effect == "status" and fault.status in EXPIRED:
                return Expected(frozenset({"Success"}), None, None, total + 2, 0, None)
            return Expected(frozenset({"DownloadIncomplete"}), None, None, trial.at + (alone.requests or 0), 0, None)
        if struck.is_storage or struck.name in PLAIN.get(name, ()):
            before = total - 1 if alone.kinds == {"Success"} else trial.at
            return Expected(alone.kinds, alone.fate, None, before + (alone.requests or 0), alone.runs, None)
    return Expected(None, None, None, None, None, None)


def _is_transient(struck: Call, fault: Fault, first: Outcome) -> bool:
    if first.kind in ("ConnectionError", "RequestTimeoutError"):
        return True
    is_final = struck.name == "deployment_get" and fault.status == 500
    return fault.effect == "status" and (fault.status in LATER or fault.status >= 500) and not is_final
