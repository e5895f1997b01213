"""The reason of a failed run, from its row, from its stream, or as a guess from its last state. Nothing here raises.

ComfyUI's ``current_inputs`` (prompts, addresses) and ``extra_info`` are never read, so no error can show them.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import frozen

from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.redaction import redacted_text
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.models.run_stream import EventUpdate
from comfydeploy.outcome import FailureKind, FailureSource, RunFailed, node_at_work

_LONGEST: Final = 300
_LARGEST: Final = 10**18  # of an id that is a number; str() raises ValueError for very large ones
_NO_REASON: Final = "a guess: the server keeps no reason"


@frozen(kw_only=True)
class Reason:
    """Why a run failed: ``text`` is one sentence; the fields are those of ``RunFailed``."""

    text: str
    kind: FailureKind
    node_id: str | None = None
    node_type: str | None = None
    exception_type: str | None = None
    exception_message: str | None = None
    traceback: str | None = None


def run_failed(
    reason: Reason,
    source: FailureSource,
    run: WorkflowRunModel | None,
    *,
    run_id: str | None = None,
    logs: Iterable[str] = (),
) -> RunFailed:
    """Return the error of a failed run. ``run_id`` is for a stream, which has no ``run``.

    A node may quote the address that it could not read: the message is without what signs it.
    """
    return RunFailed(
        redacted_text(reason.text),
        run,
        run.id if run else run_id,
        reason.kind,
        reason.node_id,
        reason.node_type,
        reason.exception_type,
        reason.exception_message,
        reason.traceback,
        tuple(logs),
        source,
    )


def row_reason(outputs: object) -> Reason | None:
    """Return the reason in the output rows of a v1 row, if there is one.

    What a node raised comes before a refused output: of two outputs one may be refused and the other fail.
    """
    documents = _documents(outputs)
    raised = (_raised(document) for document in documents)
    refused = (_refused(document.get("error")) for document in documents if is_object(document))
    return next((reason for reason in (*raised, *refused) if reason), None)


def has_node_times(outputs: object) -> bool:
    """Return whether the output rows hold the list of node times, which ComfyUI sends when every node is done."""
    return any(is_array(document) and all(map(_is_node_time, document)) for document in _documents(outputs))


def stream_reason(update: EventUpdate) -> Reason | None:
    """Return the reason in an event of a stream, if there is one."""
    if update.event == "execution_error":
        return _raised(update.data) or Reason(text="A node failed; the event has no reason", kind="node")
    return _refused(update.data) if update.event is None else None


def guessed(run: WorkflowRunModel) -> Reason:
    """Return the likely reason of a failed run for which neither its row nor its logs have one."""
    node = node_at_work(run)
    if node:
        text = f"{node}: ComfyUI ended abruptly: killed, out of memory, or a crash ({_NO_REASON})"
        return Reason(text=text, kind="crashed", node_type=node)
    if run.started_at is None:
        return Reason(text=f"The machine could not start the run ({_NO_REASON})", kind="start")
    text = (
        "ComfyUI refused the graph before any node was executed, usually because the machine lacks a node class or "
        f"because the graph has no output node ({_NO_REASON})"
    )
    return Reason(text=text, kind="refused")


def node_reason(
    *,
    node_id: str | None = None,
    node_type: str | None = None,
    exception_type: str | None = None,
    exception_message: str | None = None,
    traceback: str | None = None,
) -> Reason:
    """Return the reason of a run in which a node raised an exception."""
    place = _node_label(node_type, node_id)
    what = ": ".join(part for part in (exception_type, first_paragraph(exception_message)) if part)
    return Reason(
        text=shortened(f"{place}: {what or 'an exception without a type or a message'}"),
        kind="node",
        node_id=node_id,
        node_type=node_type,
        exception_type=exception_type,
        exception_message=exception_message,
        traceback=traceback,
    )


def refused_reason(nodes: Sequence[tuple[str | None, str | None, str]]) -> Reason:
    """Return the reason of a refused graph from class, id and error of every refused node."""
    node_type, node_id, _ = nodes[0]
    text = "; ".join(shortened(f"{_node_label(kind, node)}: {error}") for kind, node, error in nodes)
    return Reason(text=text, kind="refused", node_id=node_id, node_type=node_type)


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a text in one line."""
    return " ".join(re.split(r"\n\s*\n", (text or "").strip())[0].split())


def shortened(text: str) -> str:
    """Return a text of at most 300 characters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _documents(outputs: object) -> list[Any]:
    rows = outputs if is_array(outputs) else ()
    return [row.get("data") for row in rows if is_object(row)]


def _is_node_time(item: object) -> bool:
    return is_object(item) and "time" in item


def _raised(document: object) -> Reason | None:
    if not is_object(document) or not {"exception_type", "exception_message"} & document.keys():
        return None
    return node_reason(
        node_id=_text(document.get("node_id")),
        node_type=_text(document.get("node_type")),
        exception_type=_text(document.get("exception_type")),
        exception_message=_text(document.get("exception_message")),
        traceback=_traceback(document.get("traceback")),
    )


def _refused(document: object) -> Reason | None:
    """Read ``{"error": ..., "node_errors": ...}``. Without an error the run goes on with its other outputs."""
    if not is_object(document) or not (error := document.get("error")):
        return None
    errors = document.get("node_errors")
    items = errors.items() if is_object(errors) else ()
    nodes = [(_class(refusal), str(node), _node_error(refusal)) for node, refusal in items]
    if nodes:
        return refused_reason(nodes)
    text = first_paragraph(_message(error) if is_object(error) else _text(error))
    return Reason(text=shortened(text or "ComfyUI refused the graph without a reason"), kind="refused")


def _class(error: object) -> str | None:
    return _text(error.get("class_type")) if is_object(error) else None


def _node_error(error: object) -> str:
    items = error.get("errors") if is_object(error) else None
    texts = [_message(item) for item in items if is_object(item)] if is_array(items) else []
    return ", ".join(first_paragraph(text) for text in texts if text) or "refused without a reason"


def _message(error: Any) -> str | None:
    message, details = _text(error.get("message")), _text(error.get("details"))
    return f"{message.removesuffix('.')}: {details}" if message and details else message or details


def _node_label(node_type: str | None, node_id: str | None) -> str:
    if node_type is None:
        return "A node" if node_id is None else f"Node {node_id}"
    return node_type if node_id is None else f"{node_type} (node {node_id})"


def _text(value: object) -> str | None:
    if type(value) is int and abs(value) < _LARGEST:
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _traceback(value: object) -> str | None:
    lines = value if is_array(value) else [value]
    return "\n".join(line.rstrip("\n") for line in lines if isinstance(line, str)).strip("\n") or None
