"""Short texts of values: the ``repr`` of models, and the cells of tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import NOTHING, fields, has

from comfydeploy._display.privacy import is_secret, shown_text
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.models.secret import HIDDEN

TEXT: Final = 80
"""The most characters of a text in a ``repr``."""

_ITEMS: Final = 3  # items of a longer list; the rest is counted
_WHOLE: Final = 5  # a list of this length is shown whole
_DEPTH: Final = 3
# The fields that are shown of a long model; `...` stands for the others.
_CHOSEN: Final[Mapping[str, tuple[str, ...]]] = {
    "DeploymentInput": ("input_id", "type", "default_value", "enum_options"),
    "DeploymentModel": ("id", "environment", "description", "workflow_id", "gpu", "input_types", "output_types"),
    "DeploymentRunRequest": ("deployment_id", "inputs"),
    "MediaItem": ("filename", "type", "url"),
    "OutputFile": ("filename", "kind", "output_id", "url"),
    "Session": ("session_id", "status", "url", "gpu", "timeout", "timeout_end"),
    "WorkflowRunModel": ("id", "status", "live_status", "progress", "queue_position", "duration", "files"),
    "WorkflowRunOutputModel": ("id", "output_id", "files"),
    "WorkflowRunRequest": ("workflow_id", "inputs"),
    "WorkflowRunRow": ("id", "status", "deployment_id", "batch_id", "created_at", "duration"),
    "WorkflowRunVersionRequest": ("workflow_version_id", "inputs"),
    "WorkflowRunWebhookBody": ("run_id", "status", "event_type", "live_status", "progress", "outputs"),
}
# In a list only the names of these are shown.
_NAMES: Final[Mapping[str, str]] = {
    "DeploymentInput": "input_id",
    "DeploymentOutput": "output_id",
    "MediaItem": "filename",
    "OutputFile": "filename",
}

_RESULTS: Final = ("Failure", "Success")


def short_repr(value: object) -> str:
    """Return the ``repr`` of a model or of a list that is a response: its set fields, short and without secrets."""
    return _listed(value, 0) if is_array(value) else _model(value, 0)


def short_value(value: Any, limit: int = TEXT) -> str:
    """Return a value in a limited width, without quotes around a text."""
    return shortened(shown_text(value[: limit * 40]), limit) if isinstance(value, str) else _short(value, 0)[:limit]


def shortened(text: str, limit: int) -> str:
    """Return a text on one line, cut to a length."""
    return cut(" ".join(text.split()), limit)


def cut(text: str, limit: int) -> str:
    """Return a text cut to a length."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown_fields(value: Any) -> dict[str, Any]:
    """Return the set fields of a model: first those that identify it, then others that differ from the default."""
    chosen = _CHOSEN.get(type(value).__name__, ())
    named = {one.name: one for one in fields(value.__class__) if one.repr and one.init}
    order = [*chosen, *(name for name in named if name not in chosen)]
    found = {name: getattr(value, name, None) for name in order}
    return {name: item for name, item in found.items() if not _is_default(item, value, named.get(name))}


def _model(value: Any, depth: int) -> str:
    kind = type(value).__name__
    shown = shown_fields(value)
    chosen = [name for name in shown if name in _CHOSEN.get(kind, shown)]
    parts = [f"{name}={_named(name, shown[name], depth + 1)}" for name in chosen]
    return f"{kind}({', '.join([*parts, *['...'] * (len(chosen) < len(shown))])})"


def _is_default(item: Any, value: Any, attribute: Any) -> bool:
    if item is None or (type(item) in (list, dict) and not item):
        return True
    default: Any = attribute.default if attribute else NOTHING
    if hasattr(default, "factory"):
        return bool(default.takes_self and item == default.factory(value))
    return type(item) is type(default) and bool(item == default)


def _named(name: str, value: object, depth: int) -> str:
    if isinstance(value, str) and is_secret(name, value):
        return f"'{HIDDEN}'"
    return _short(value, depth)


def _short(value: Any, depth: int) -> str:  # noqa: PLR0911 - one for each kind of value
    if isinstance(value, str):
        return repr(_cut(value))
    if value is None or isinstance(value, bool | int | float):
        return repr(round(value, 4) if isinstance(value, float) else value)
    if isinstance(value, bytes | bytearray):
        return f"<{len(value):,} bytes>"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if is_object(value):
        return _paired(value, depth) if depth < _DEPTH else "{...}" if value else "{}"
    if is_array(value):
        return _listed(value, depth) if depth < _DEPTH else "[...]" if value else "[]"
    if has(value.__class__):
        return _model(value, depth) if depth < _DEPTH else f"{type(value).__name__}(...)"
    try:
        if value.__class__.__name__ in _RESULTS:  # by its name, because not every process loads *returns*
            inner = value.failure() if value.__class__.__name__ == "Failure" else value.unwrap()
            return f"<{value.__class__.__name__}: {_short(inner, depth)}>"
        return _cut(repr(value))
    except Exception:  # noqa: BLE001 - an object of any class may raise anything
        return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    shown = shown_text(text[: TEXT * 40])
    return shown if len(shown) <= TEXT else f"{shown[: TEXT - 3]}..."


def _paired(value: Mapping[Any, Any], depth: int) -> str:
    pairs = (f"{_short(name, depth + 1)}: {_named(str(name), item, depth + 1)}" for name, item in value.items())
    return f"{{{', '.join(_some(pairs, len(value)))}}}"


def _listed(value: Sequence[Any], depth: int) -> str:
    items = ", ".join(_some((_item(item, depth + 1) for item in value), len(value)))
    return f"({items}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{items}]"


def _item(value: Any, depth: int) -> str:
    name = _NAMES.get(type(value).__name__) if depth > 1 else None  # in a list of one kind they are shown whole
    return _short(getattr(value, name) if name else value, depth)


def _some(parts: Iterable[str], count: int) -> list[str]:
    """Return all parts of a short list, otherwise the first ones and the number of the rest."""
    shown = count if count <= _WHOLE else _ITEMS
    first = [part for part, _ in zip(parts, range(shown), strict=False)]
    return first if shown == count else [*first, f"... {count - shown:,} more"]
