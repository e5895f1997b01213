"""Every operation in ``funcs/``: how it is called, and a good answer to it.

Both are made from the signatures, so that a new operation is tested without a line here. Only values that a type does
not define, such as a request that is valid, are named.
"""

import importlib
import inspect
import json
import pkgutil
import re
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import attrs
import httpx

from comfydeploy import ComfyDeployCore, funcs
from comfydeploy._wire.reply import Reply as Response
from comfydeploy.errors import MalformedEvent, SDKValidationError
from comfydeploy.funcs.run_map import AsyncRunMap, RunMap
from comfydeploy.mapping import MapItem
from comfydeploy.paging import Pages
from comfydeploy.result import Failure, Result
from comfydeploy.streaming import AsyncItemStream, AsyncRunWatch, ItemStream, RunWatch

NAMES = sorted(module.name for module in pkgutil.iter_modules(funcs.__path__))
ID = "id-1"
STORAGE = "/storage/f.png"
BASE = "{BASE}"
"""In an answer: the address of the server, as far as the trial."""

MOMENT = "2026-03-14T09:26:53Z"
REQUEST = {"deployment_id": ID, "inputs": {"prompt": "a lighthouse"}}
# By the name of the parameter, where its type does not say enough.
ARGUMENTS: dict[str, Any] = {
    "request": REQUEST,
    "run_or_id": ID,
    "key": "key-1",
    "keys": "key-1",
    "name": "night",
    "file": b"a picture",
    "inputs": {"image": ("cat.png", b"a picture")},
    "jobs": [REQUEST],
    "since": datetime(2026, 3, 14, tzinfo=UTC),
}
# Of one operation: what is different, and optional parameters that it needs here.
OWN: dict[str, dict[str, Any]] = {
    "asset_upload": {"name": "cat.png"},
    "file_upload": {"name": "cat.png"},
    "file_download": {"file": f"{BASE}{STORAGE}"},
    "map_step": {"request": REQUEST, "post_limit": 2, "grace": 0.5},
    "run_map": {"post_limit": 2, "grace": 0.5},
    "run_batch": {"request": {**REQUEST, "batch_number": 2}},
    "run_find": {"deployment_id": ID},
    "run_map_adopt": {"deployment_id": ID, "settle": 0},
    "run_queue_once": {"settle": 1},
    "run_workflow_queue": {"request": {"workflow_id": ID, "workflow_api_json": {"1": {}}}},
    "run_workflow_stream": {"request": {"workflow_id": ID, "workflow_api_json": {"1": {}}}},
    "run_workflow_sync": {"request": {"workflow_id": ID, "workflow_api_json": {"1": {}}}},
}
# By the name of a field of an answer.
FIELDS: dict[str, Any] = {
    "status": "success",
    "data": {"images": [{"url": f"{BASE}{STORAGE}", "type": "output", "filename": "f.png"}]},
    "workflow_inputs": {},
}
_READ = r"_(id|at)$|^(status|data|workflow_inputs|outputs)$"
_VALUES: dict[type, Any] = {bool: True, int: 1, float: 1.0, datetime: MOMENT}
# Requests of composites that are no operations of their own: the method, the path, what they create, and the answer.
STORED = {"url": f"{BASE}{STORAGE}", "download_url": f"{BASE}{STORAGE}", "file_id": ID, "db_path": ID}
PARTS: dict[str, tuple[str, str, str, Any]] = {
    "asset_upload: presign": ("GET", "/assets/presigned-url", "nothing", STORED),
    "asset_upload: store": ("PUT", STORAGE, "nothing", ""),
    "asset_upload: register": ("POST", "/assets/register", "asset", {"id": ID, "name": ID}),
}
RUN_EVENTS = (
    f'event: event_update\ndata: {{"prompt_id": "{ID}", "number": 1, "node_errors": {{}}}}\n\n'
    f'event: log_update\ndata: {{"logs": "a line", "timestamp": "{MOMENT}"}}\n\n'
    'event: event_update\ndata: {"event": "status", "data": {"status": "success"}}\n\n'
)
LOG_EVENTS = f'data: {{"message": "a line", "timestamp": "{MOMENT}"}}\n\ndata: {{"type": "stream_complete"}}\n\n'

Reply = Literal["json", "stream", "file", "steps"]


@dataclass(frozen=True)
class Call:
    """One operation. ``reply`` is what its response is; a composite has ``steps``, which are other operations.

    ``final_500``: a 500 is not repeated. ``is_storage``: it reads from another server, and follows redirects.
    ``ends_itself``: an event is the end of its stream, not the end of the body.
    """

    name: str
    blocking: Callable[..., Any]
    awaited: Callable[..., Any]
    reply: Reply
    creates: str
    parameters: frozenset[str]
    answer: Any = None
    final_500: bool = False
    is_storage: bool = False
    ends_itself: bool = False

    @property
    def names_run(self) -> bool:
        return "run_id" in self.parameters or "run_or_id" in self.parameters

    def arguments(self, base: str, folder: Path) -> dict[str, Any]:
        """Return fresh arguments for one call."""
        given = {name: _argument(self.name, name, hint) for name, hint in _required(self.blocking).items()}
        given |= {name: value for name, value in OWN.get(self.name, {}).items() if name in self.parameters}
        for name in {"to", "journal"} & self.parameters & _required(self.blocking).keys():
            given[name] = folder / f"{name}-{len(list(folder.iterdir()))}"
        return {name: value.replace(BASE, base) if isinstance(value, str) else value for name, value in given.items()}


def part(name: str) -> Call:
    """Return a request of a composite that is no operation."""
    return Call(name, len, len, "json", PARTS[name][2], frozenset())


def is_creating(step: str) -> bool:
    """Check whether a request of a composite creates something."""
    return PARTS[step][2] != "nothing" if step in PARTS else step.startswith("run_queue")


def every_call() -> dict[str, Call]:
    """Return all operations by their names."""
    return {name: _call(name) for name in NAMES}


def routes(calls: Mapping[str, Call], folder: Path) -> dict[str, dict[str, Any]]:
    """Return the good answers for the server, by the operation: its method, its path, its type and its body."""
    known: dict[str, dict[str, Any]] = {
        name: {"method": method, "path": path, "creates": creates, "kind": "application/json", "body": json.dumps(body)}
        for name, (method, path, creates, body) in PARTS.items()
    }
    for call in calls.values():
        if call.reply == "steps":
            continue
        sent: list[httpx.Request] = []

        def refuse(request: httpx.Request, sent: list[httpx.Request] = sent) -> httpx.Response:
            sent.append(request)
            return httpx.Response(404)

        with ComfyDeployCore(bearer="k", server_url="http://h", transport=httpx.MockTransport(refuse)) as core:
            last(call.blocking(core, **call.arguments("http://h", folder)))
        if not sent:
            raise LookupError(f"{call.name}: its arguments are refused: add them to OWN in {__file__}")
        known[call.name] = {"method": sent[0].method, "path": sent[0].url.path, "creates": call.creates, **call.answer}
    return known


def last(made: Any) -> Any:
    """Read what a call returned to its end, and return the last result."""
    if hasattr(made, "unwrap") and isinstance(value := made.value_or(None), ItemStream):
        with value:
            return _last_item(list(value), made)
    if isinstance(made, RunMap):
        with made:
            items = list(made)
        return items[-1].result if items else None
    if isinstance(made, RunWatch):
        with made:
            return list(made)[-1]
    if isinstance(made, Iterator):
        return (list(made) or [None])[-1]
    return _of_job(made)


async def last_async(made: Any) -> Any:
    """Read what a call returned to its end, and return the last result, async."""
    if inspect.iscoroutine(made):
        made = await made
    if hasattr(made, "unwrap") and isinstance(value := made.value_or(None), AsyncItemStream):
        async with value:
            return _last_item([item async for item in value], made)
    if isinstance(made, AsyncRunMap):
        async with made:
            items = [item async for item in made]
        return items[-1].result if items else None
    if isinstance(made, AsyncRunWatch):
        async with made:
            return [item async for item in made][-1]
    if isinstance(made, AsyncIterator):
        return ([item async for item in made] or [None])[-1]
    return _of_job(made)


def _of_job(made: Any) -> Any:
    """Return the result of a job of a map, where it is the value of a result."""
    value = made.value_or(None)
    return value.result if isinstance(value, MapItem) else made


def _last_item(items: list[Any], opened: Any) -> Any:
    """Return the last item; an event that cannot be read is not the end of a stream."""
    is_read = not items or (isinstance(items[-1], Failure) and isinstance(items[-1].failure(), MalformedEvent))
    return opened if is_read else items[-1]


def _call(name: str) -> Call:
    module = importlib.import_module(f"comfydeploy.funcs.{name}")
    operation = getattr(module, "OPERATION", None)
    blocking, awaited = getattr(module, name), getattr(module, f"{name}_async")
    parameters = frozenset(inspect.signature(blocking).parameters)
    if operation is None and name == "file_download":
        return Call(name, blocking, awaited, "file", "nothing", parameters, _file(), is_storage=True)
    if operation is None or not hasattr(operation, "encode"):
        return Call(name, blocking, awaited, "steps", "run" if "request" in parameters else "nothing", parameters)
    reply: Reply = "json"
    ends_itself = False
    if operation.accept == "text/event-stream":
        reply, answer = "stream", {"kind": operation.accept, "body": _events(operation)}
        decoder = operation.decode(Response(200, source=(None, None))).decoder
        decoder.feed(answer["body"].encode())
        ends_itself = decoder.is_complete
    elif operation.accept == "*/*":
        reply, answer = "file", _file()
    else:
        due = _value(typing.get_type_hints(blocking)["return"])
        sent = _sent(operation, document(due))
        answer = {"kind": "application/json", "body": json.dumps(sent)}
    is_final = operation.is_permanent is not None and operation.is_permanent(Response(500, content=b'"a fault"'))
    return Call(
        name, blocking, awaited, reply, operation.creates, parameters, answer, is_final, ends_itself=ends_itself
    )


def _sent(operation: Any, value: Any) -> Any:
    """Return the document of a value as the server sends it, which may wrap a list."""
    try:
        operation.decode(Response(200, content=json.dumps(value).encode()))
    except SDKValidationError as error:
        missing = [problem.path.removeprefix("$.") for problem in error.problems]
        return {**value, **{name: [] for name in missing}} if isinstance(value, dict) else dict.fromkeys(missing, value)
    return value


def _file() -> dict[str, Any]:
    return {"kind": "image/png", "body": "the bytes of a picture"}


def _events(operation: Any) -> str:
    return LOG_EVENTS if operation.creates == "nothing" else RUN_EVENTS


def _value(result: Any) -> Any:
    """Return the type of the value of a ``Result``, or of a page of a list."""
    origin, parts = typing.get_origin(result), typing.get_args(result)
    if origin is Pages:
        return list[parts[0]]
    return parts[0] if origin is Result else result


def document(kind: Any, name: str = "") -> Any:
    """Return a JSON document of a type, for a field of that name."""
    if name in FIELDS:
        return FIELDS[name]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return document(next((part for part in parts if attrs.has(part)), parts[0]), name)
    if origin is typing.Annotated:
        return document(parts[0], name)
    if origin is Literal:
        return parts[0]
    if attrs.has(origin or kind):
        return _object(origin or kind)
    return _simple(origin or kind, parts, name)


def _object(model: Any) -> dict[str, Any]:
    """Return the required fields of a model, and the optional ones that other operations read."""
    hints = typing.get_type_hints(model)
    fields = [one for one in attrs.fields(model) if one.init and one.name != "raw"]
    named = [one.name for one in fields if one.default is attrs.NOTHING or re.search(_READ, one.name)]
    return {name: document(hints[name], name) for name in named}


def _simple(kind: Any, parts: tuple[Any, ...], name: str) -> Any:
    if isinstance(kind, type):
        if issubclass(kind, Mapping):
            return {}
        if issubclass(kind, list | tuple):
            return [document(part) for part in parts[:1]]
        for basic, value in _VALUES.items():
            if issubclass(kind, basic):
                return value
    return f"{BASE}{STORAGE}" if name in ("url", "file_url") else ID


def _required(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {one.name: one.annotation for one in parameters if one.default is one.empty and one.name != "options"}


def _argument(operation: str, name: str, hint: Any) -> Any:
    if name in OWN.get(operation, {}):
        return OWN[operation][name]
    if name == "request" and (model := next(filter(attrs.has, typing.get_args(hint)), None)) and "Run" not in str(hint):
        return {key: value for key, value in document(model).items() if key != "raw"}
    return ARGUMENTS[name] if name in ARGUMENTS else document(hint, name)
