"""Runs, errors and requests as text in a journal, without the query strings of addresses."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from attrs import fields

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.codec import json_bytes, read
from comfydeploy._wire.file_values import is_file
from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.redaction import without_secrets
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import RunCancelled, RunEnd, RunFailed, RunTimedOut

# The signature of an address is in its query, and so are the token of a webhook and of an account.
_QUERY: Final = re.compile(r'(https?://[^\s"?#\\]*)\?[^\s"\\]*', re.IGNORECASE)
_KINDS: Final = {kind.__name__: kind for kind in (RunFailed, RunCancelled, RunTimedOut)}
_BESIDE: Final = frozenset({"run", "fate"})

CURE: Final = "find the runs with run_map_adopt and a new file"
"""What to do where a journal is damaged."""


def digest_of(wire: Mapping[str, Any]) -> str:
    """Return the digest of a request; raise ``SDKValidationError`` if it is not serializable."""
    try:
        # In another order of its keys it is the same request.
        text = json.dumps(wire, separators=(",", ":"), allow_nan=False, sort_keys=True, default=_described_part)
    except (TypeError, ValueError, RecursionError):
        text = json_bytes(described(wire), "request").decode()  # which names what is wrong
    return sha256(text.encode()).hexdigest()[:32]


def loaded(text: str) -> Any:
    """Return the JSON of a column; raise ``SDKValidationError`` where it is damaged."""
    try:
        return parsed(text)
    except ValueError as error:
        raise invalid_argument("journal", f"a row is damaged ({error}): {CURE}") from None


def run_text(run: WorkflowRunModel | None) -> str | None:
    """Return a run as it was sent, without query strings."""
    return None if run is None else without_queries(_text(run.raw))


def run_of(text: str | None) -> WorkflowRunModel | None:
    """Return a stored run."""
    return None if text is None else read(loaded(text), WorkflowRunModel, "journal")


def error_text(error: RunEnd | None) -> str | None:
    """Return the error of a run as text, without the run, query strings and secrets."""
    if error is None:
        return None
    kind: Any = type(error)
    values = {one.name: getattr(error, one.name) for one in fields(kind) if one.name not in _BESIDE}
    return without_queries(_text(without_secrets({"error": kind.__name__, **values})))


def error_of(text: str | None, run: WorkflowRunModel | None) -> RunEnd | None:
    """Return a stored error of a run."""
    if text is None:
        return None
    values: dict[str, Any] = loaded(text)
    kind: Any = _KINDS[values.pop("error")]
    if "logs" in values:
        values["logs"] = tuple(values["logs"])
    ended: RunEnd = kind(run=run, **values)
    return ended


def adopted_text(inputs: Mapping[str, Any]) -> str:
    """Return what is known of the request of a run: its inputs."""
    return without_queries(_text({"inputs": inputs}))


def is_adopted(request: str, adopted: str) -> bool:
    """Check whether a request has the inputs of a run that was found, which has the address of each file."""
    given, found = _inputs(request), _inputs(adopted)
    fits = (value == found.get(name) or _has_file(value) for name, value in given.items())
    return given.keys() == found.keys() and all(fits)


def has_files(wire: Mapping[str, Any]) -> bool:
    """Check whether the inputs of a stored request had files, of which only names and digests are known."""
    inputs: Mapping[str, Any] = wire.get("inputs") or {}
    return any(map(_has_file, inputs.values()))


def _inputs(request: str) -> dict[str, Any]:
    return loaded(request).get("inputs") or {}


def _has_file(value: Any) -> bool:
    if is_array(value):
        return any(map(_has_file, value))
    return is_object(value) and bool(value.keys() & {"file", "sha256"})


def without_queries(text: str) -> str:
    """Return a text with the query strings of all addresses in it removed."""
    return _QUERY.sub(r"\1", text)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)


def described(value: Any) -> Any:
    """Return a value with each file replaced by its name, and by the digest of its bytes if it has them."""
    if is_object(value):
        return {key: described(item) for key, item in value.items()}
    if is_array(value):
        return [described(item) for item in value]
    return _described_part(value) if isinstance(value, bytes) or is_file(value) else value


def _described_part(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"sha256": sha256(value).hexdigest()}
    if is_object(value):
        return dict(value)
    if not is_file(value):
        raise TypeError
    return {"file": str(getattr(value, "name", value) if hasattr(value, "read") else value)}
