"""The findings of the doctor, as sentences: pure functions of the measurements."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from attrs import fields

from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.models.deployment import DeploymentEnvironment, DeploymentModel
from comfydeploy.models.document import Document
from comfydeploy.models.run import RunStatus, WorkflowRunModel
from comfydeploy.models.run_row import WorkflowRunRow

Level: TypeAlias = Literal["ok", "note", "problem"]

_SKEW: Final = timedelta(seconds=5)
_WRONG: Final = timedelta(minutes=5)  # with a larger error, certificates and signed addresses are refused
_SOON: Final = timedelta(days=14)
_LEFT_IN_RAW: Final = {
    "DeploymentOutput": frozenset({"type"}),
    "WorkflowRunRow": frozenset(
        {
            "cold_start_duration",
            "cold_start_duration_total",
            "comfy_deploy_cold_start",
            "machine_type",
            "machine_version",
            "modal_function_call_id",
            "org_id",
            "user_id",
            "webhook_intermediate_status",
            "webhook_status",
        }
    ),
}
"""Known fields that the models leave in ``raw``."""


class Finding(NamedTuple):
    """The result of one check."""

    name: str
    level: Level
    text: str


def key_finding(key: str | None) -> Finding:
    """Check the key without showing it."""
    if not key:
        return Finding("key", "problem", "COMFYDEPLOY_API_KEY is not set: export it with your API key")
    if re.search(r"\s", key) or not key.isascii() or not key.isprintable():
        return Finding(
            "key", "problem", "the key in COMFYDEPLOY_API_KEY has whitespace or other characters that a key cannot have"
        )
    return Finding("key", "ok", "set in COMFYDEPLOY_API_KEY")


def clock_finding(date: str | None, sent: datetime, received: datetime) -> Finding:
    """Compare the clock of this computer with the server's, as its response says."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return Finding("clock", "note", "the server's response has no readable date")
    theirs = theirs.replace(tzinfo=theirs.tzinfo or UTC)
    # The header has whole seconds, and is from any moment between request and response.
    early, late = sent - theirs - timedelta(seconds=1), received - theirs
    off = early if early > timedelta() else min(late, timedelta())
    if abs(off) < _SKEW:
        return Finding("clock", "ok", "that of the server, give or take seconds")
    direction = "ahead of" if off > timedelta() else "behind"
    level: Level = "problem" if abs(off) > _WRONG else "note"
    return Finding("clock", level, f"{abs(off).total_seconds():.0f} s {direction} the server's")


def tls_finding(version: str | None, expires: str | None, now: datetime) -> Finding:
    """Report the protocol and the certificate of the server."""
    try:
        until = parsedate_to_datetime(re.sub(r"^(\w+) +(\d+) ([\d:]+) (\d+)", r"\2 \1 \4 \3", expires or ""))
    except ValueError:
        return Finding("tls", "ok", version or "unknown version")
    left = until.replace(tzinfo=until.tzinfo or UTC) - now
    return Finding("tls", "note" if left < _SOON else "ok", f"{version}, certificate valid for {left.days} days")


def proxies_finding(proxies: Mapping[str, str | None]) -> Finding:
    """Report the proxies by the addresses that they serve; ``None`` is no proxy."""
    if not proxies:
        return Finding("proxies", "ok", "none")
    used = [f"{pattern} by {proxy}" if proxy else f"{pattern} by none" for pattern, proxy in proxies.items()]
    return Finding("proxies", "ok", ", ".join(used))


def drift_finding(documents: Iterable[Document]) -> Finding:
    """Report fields and values of the server that this version does not know."""
    found = sorted({one for document in documents for one in (*unknown_fields(document), *_unknown_words(document))})
    if not found:
        return Finding("drift", "ok", "this version knows all that the server sent")
    return Finding("drift", "note", f"this version does not know {', '.join(found)} (kept in `raw`)")


def unknown_fields(document: Document, path: str = "") -> Iterator[str]:
    """Yield the fields of a document, and of nested ones, that its model does not have."""
    place = path or type(document).__name__
    known = {one.name for one in fields(type(document))}
    expected = known | _LEFT_IN_RAW.get(type(document).__name__, frozenset())
    yield from (f"{place}.{name}" for name in document.raw if name not in expected)
    for name in known - {"raw"}:
        for part in _documents(getattr(document, name)):
            yield from unknown_fields(part, f"{place}.{name}")


def _documents(value: Any) -> Iterator[Document]:
    if isinstance(value, Document):
        yield value
    elif is_object(value):
        for part in value.values():
            yield from _documents(part)
    elif is_array(value):
        for item in value:
            yield from _documents(item)


def _unknown_words(document: Document) -> Iterator[str]:
    if isinstance(document, WorkflowRunModel | WorkflowRunRow) and document.status not in get_args(RunStatus):
        yield f"the status {document.status!r}"
    if isinstance(document, DeploymentModel):
        environment = document.environment
        if environment is not None and environment not in get_args(DeploymentEnvironment):
            yield f"the environment {environment!r}"
