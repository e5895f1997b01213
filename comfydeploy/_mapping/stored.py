"""Runs, errors and requests as text in a journal, without the query strings of addresses."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from types import NoneType
from typing import Any, Final, get_args

from attrs import fields

from comfydeploy._mapping.rows import State
from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.codec import json_bytes, read
from comfydeploy._wire.file_values import is_file
from comfydeploy._wire.json_decoding import parsed
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.redaction import without_secrets
from comfydeploy.errors import SDKValidationError
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.outcome import RunCancelled, RunEnd, RunFailed, RunTimedOut

# The signature of an address is in its query, and so are the token of a webhook and of an account.
_QUERY: Final = re.compile(r'(https?://[^\s"?#\\]*)\?[^\s"\\]*', re.IGNORECASE)
_KINDS: Final = {kind.__name__: kind for kind in (RunFailed, RunCancelled, RunTimedOut)}
_BESIDE: Final = frozenset({"run", "fate"})
_LONGEST: Final = 100
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "id": (int,),
    "key": (str,),
    "state": (str,),
    "attempt": (int,),
    "lease": (float, int),
    "tried_at": (float, int, NoneType),
    **dict.fromkeys(("request", "owner", "since", "run_id", "run", "error", "files"), (str, NoneType)),
}
"""The types of the columns. One that is there as text, such as a run, is read where it is needed."""

CURE: Final = "find the runs with run_map_adopt and a new file"
"""What to do where a journal is damaged."""


def digest_of(wire: Mapping[str, Any]) -> str:
    """Return the digest of a request; raise ``SDKValidationError`` if it is not serializable."""
    try:
        # In another order of its keys it is the same request.
        text = json.dumps(wire, separators=(",", ":"), allow_nan=False, sort_keys=True, default=_described_part)
    except (TypeError, ValueError, RecursionError):
        try:
            sent = described(wire)
        except RecursionError:
            sent = wire
        text = json_bytes(sent, "request").decode()  # which names what is wrong
    return sha256(text.encode()).hexdigest()[:32]


def check_columns(row: Mapping[str, Any]) -> None:
    """Raise ``SDKValidationError`` where a column of a row is damaged: a database may hold any value in any column."""
    for name, value in row.items():
        if type(value) not in _TYPES[name]:
            raise _damage(f"{name} is of the type {type(value).__name__}")
    if row["state"] not in get_args(State):
        raise _damage(f"the state {row['state'][:_LONGEST]!r} is unknown")
    if row.get("since") is not None and not _is_moment(row["since"]):
        raise _damage("since is no aware time")


def object_of(text: str | None) -> Mapping[str, Any]:
    """Return the JSON object of a column, an empty one where there is none; raise where it is damaged."""
    found: Any = {} if text is None else _loaded(text)
    if not is_object(found):
        raise _damage(f"expected an object, got {type(found).__name__}")
    return found


def files_of(text: str | None) -> tuple[str, ...] | None:
    """Return the stored names of files; raise where they are damaged."""
    if text is None:
        return None
    found = _loaded(text)
    if not is_array(found) or not all(isinstance(file, str) for file in found):
        raise _damage("expected a list of the names of files")
    return tuple(found)


def _loaded(text: str) -> Any:
    try:
        return parsed(text)
    except (ValueError, RecursionError) as error:
        raise _damage(str(error)) from None


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _damage(reason: str) -> SDKValidationError:
    return invalid_argument("journal", f"a row is damaged ({reason}): {CURE}")


def run_text(run: WorkflowRunModel | None) -> str | None:
    """Return a run as it was sent, without query strings."""
    return None if run is None else without_queries(_text(run.raw))


def run_of(text: str | None) -> WorkflowRunModel | None:
    """Return a stored run."""
    return None if text is None else read(object_of(text), WorkflowRunModel, "journal")


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
    values = dict(object_of(text))
    try:
        kind: Any = _KINDS[values.pop("error")]
        if "logs" in values:
            values["logs"] = tuple(values["logs"])
        ended: RunEnd = kind(run=run, **values)
    except (KeyError, TypeError) as error:
        raise _damage(f"an error cannot be read: {error}") from None
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
    inputs = wire.get("inputs")
    return is_object(inputs) and any(map(_has_file, inputs.values()))


def _inputs(request: str) -> Mapping[str, Any]:
    inputs = object_of(request).get("inputs")
    return inputs if is_object(inputs) else {}


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
