"""A ComfyUI without a GPU: its protocol over real sockets, and nodes that their inputs control."""

import asyncio
import json
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from comfydeploy import ComfyDeployCore
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.deployments_list import deployments_list
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.funcs.run_sync import run_sync_async
from comfydeploy.models import (
    EventUpdate,
    EventUpdateEvent,
    LogUpdate,
    LogUpdateEvent,
    WorkflowRunModel,
    WorkflowRunOutputModel,
)
from comfydeploy.result import unwrap

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
PREVIEW = b"\x00\x00\x00\x01\x00\x00\x00\x01" + bytes(2 * 1024 * 1024)


class FakeComfyUI:
    """Executes prompts one after the other, node by node; the class of a node names what it does.

    ``Cached`` is answered from the cache, ``Sampler`` makes steps and shows a preview, ``Saver`` makes the outputs in
    its input ``ui``, ``Raiser`` fails, ``Waiter`` waits for ``release``, ``Leaver`` closes the connection of messages,
    ``Stopper`` forgets everything as a restart would, and ``NoSuchNode`` is refused. Any other is just executed.
    """

    def __init__(self, *, chooses_ids: bool = False, path: str = "") -> None:
        self.chooses_ids = chooses_ids
        self.prompts: list[dict[str, Any]] = []
        self.uploads: dict[str, bytes] = {}
        self.files: dict[tuple[str, str, str], bytes] = {("a_00001_.png", "", "output"): PNG}
        self.interrupted: list[str] = []
        self.deleted: list[str] = []
        self.waiting: queue.Queue[str] = queue.Queue()
        self.noise: list[str] = []
        self.clients: list[str] = []
        self.classes = ["SaveImage"]
        self.refuses_uploads = False
        self.node_errors: dict[str, Any] = {}
        self.greeting: str | None = None
        self._pending: list[tuple[int, str, dict[str, Any]]] = []
        self.running: list[tuple[int, str, dict[str, Any]]] = []
        self.history: dict[str, dict[str, Any]] = {}
        self.sockets: dict[str, WebSocket] = {}
        routes = [
            Route("/prompt", self._prompt, methods=["POST"]),
            Route("/queue", self._queue, methods=["GET"]),
            Route("/queue", self._delete, methods=["POST"]),
            Route("/interrupt", self._interrupt, methods=["POST"]),
            Route("/history/{prompt_id}", self._remember, methods=["GET"]),
            Route("/upload/image", self._upload, methods=["POST"]),
            Route("/userdata/{file:path}", self._user_data, methods=["POST"]),
            Route("/object_info", self._classes, methods=["GET"]),
            Route("/view", self._view, methods=["GET"]),
            WebSocketRoute("/ws", self._listen),
        ]
        self._app = Starlette(routes=[Mount(path, routes=routes)])

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            self._app, ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        ready = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._work = asyncio.Event()
            self.released = asyncio.Event()
            self.is_interrupted = False
            self._outbox: asyncio.Queue[tuple[str | None, str | bytes | None]] = asyncio.Queue()
            tasks = [asyncio.create_task(self._execute_all()), asyncio.create_task(self._publish())]
            ready.set()
            await self._server.serve([listening])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._thread = threading.Thread(target=asyncio.run, args=(serve(),))
        self._thread.start()
        ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def release(self) -> None:
        """Release the node that waits."""
        self._loop.call_soon_threadsafe(self.released.set)

    def until_queued(self, prompt_id: str) -> None:
        """Return once a prompt waits."""
        while not any(prompt_id in item for item in httpx.get(f"{self.url}/queue").json()["queue_pending"]):
            pass

    def remove(self, prompt_id: str) -> None:
        """Remove a prompt from the queue, as users do on ComfyUI's page."""
        self._loop.call_soon_threadsafe(self._remove, prompt_id)

    def interrupt(self) -> None:
        """Interrupt the running prompt, as users do on ComfyUI's page."""
        self._loop.call_soon_threadsafe(self._stop_waiting)

    async def _prompt(self, request: Request) -> Response:
        body = await request.json()
        self.prompts.append(body)
        unknown = [(key, node) for key, node in body["prompt"].items() if node.get("class_type") == "NoSuchNode"]
        for key, node in unknown:
            error = {
                "type": "invalid_prompt",
                "message": f"Cannot execute because node {node['class_type']} does not exist.",
                "details": f"Node ID '#{key}'",
                "extra_info": {},
            }
            return JSONResponse({"error": error, "node_errors": {}}, 400)
        if any(node.get("class_type") == "Confuser" for node in body["prompt"].values()):
            return PlainTextResponse("Server got itself in trouble", 500)
        prompt_id = str(uuid.uuid4()) if self.chooses_ids else body["prompt_id"]
        number = len(self.prompts)
        self._pending.append((number, prompt_id, body))
        self._tell_queue()
        self._work.set()
        return JSONResponse({"prompt_id": prompt_id, "number": number, "node_errors": self.node_errors})

    async def _queue(self, _: Request) -> Response:
        return JSONResponse({"queue_running": self.running, "queue_pending": self._pending})

    async def _delete(self, request: Request) -> Response:
        for prompt_id in (await request.json())["delete"]:
            if any(prompt_id in item for item in self._pending):
                self.deleted.append(prompt_id)
                self._remove(prompt_id)
        return Response()

    def _remove(self, prompt_id: str) -> None:
        self._pending = [item for item in self._pending if prompt_id not in item]
        self._tell_queue()

    async def _interrupt(self, request: Request) -> Response:
        self.interrupted.append((await request.json())["prompt_id"])
        self._stop_waiting()
        return Response()

    def _stop_waiting(self) -> None:
        self.is_interrupted = True
        self.released.set()

    async def _remember(self, request: Request) -> Response:
        prompt_id = request.path_params["prompt_id"]
        return JSONResponse({key: entry for key, entry in self.history.items() if key == prompt_id})

    async def _upload(self, request: Request) -> Response:
        if self.refuses_uploads:
            return Response(status_code=413)
        async with request.form() as form:
            image = form["image"]
            self.uploads[image.filename] = await image.read()
            return JSONResponse({"name": image.filename, "subfolder": form.get("subfolder", ""), "type": "input"})

    async def _user_data(self, request: Request) -> Response:
        name = request.path_params["file"].rpartition("/")[2]
        self.uploads[name] = await request.body()
        return JSONResponse(request.path_params["file"])

    async def _classes(self, _: Request) -> Response:
        return JSONResponse({name: {} for name in self.classes})

    async def _view(self, request: Request) -> Response:
        key_of_file = tuple(request.query_params.get(key, "") for key in ("filename", "subfolder", "type"))
        content = self.files.get(key_of_file)
        return Response(status_code=404) if content is None else Response(content)

    async def _listen(self, ws: WebSocket) -> None:
        await ws.accept()
        client_id = ws.query_params["clientId"]
        self.sockets[client_id] = ws
        self.clients.append(client_id)
        await ws.send_json({"type": "status", "data": {"status": self._remaining(), "sid": client_id}})
        if self.running and self.greeting:
            # A client that has reconnected receives the current node, without the prompt.
            await ws.send_json({"type": "executing", "data": {"node": self.greeting}})
        with suppress(WebSocketDisconnect):
            await ws.receive_text()
        # It may have reconnected meanwhile.
        if self.sockets.get(client_id) is ws:
            del self.sockets[client_id]

    def _remaining(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": len(self._pending) + len(self.running)}}

    def send_message(self, client_id: str | None, frame: str | bytes | None) -> None:
        """Send a message to a client, or to all, after earlier messages; ``None`` closes the connection."""
        self._outbox.put_nowait((client_id, frame))

    def _tell_queue(self) -> None:
        self.send_message(None, json.dumps({"type": "status", "data": {"status": self._remaining()}}))

    async def _publish(self) -> None:
        while True:
            client_id, frame = await self._outbox.get()
            for one, ws in list(self.sockets.items()):
                # Clients may be gone.
                with suppress(WebSocketDisconnect, RuntimeError):
                    match frame:
                        case _ if client_id not in {None, one}:
                            pass
                        case None:
                            del self.sockets[one]
                            await ws.close()
                        case bytes():
                            await ws.send_bytes(frame)
                        case str():
                            await ws.send_text(frame)

    async def _execute_all(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._pending:
                number, prompt_id, body = self._pending.pop(0)
                self.running = [(number, prompt_id, body)]
                self._tell_queue()
                await Execution(self, prompt_id, body["client_id"]).execute(body["prompt"])
                self.running = []
                self._tell_queue()


class Execution:
    """One prompt that is executed."""

    def __init__(self, comfyui: FakeComfyUI, prompt_id: str, client_id: str) -> None:
        self._comfyui = comfyui
        self._prompt_id = prompt_id
        self._client_id = client_id
        self._messages: list[list[Any]] = []
        self._states: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        comfyui.is_interrupted = False
        comfyui.released.clear()

    async def execute(self, graph: dict[str, Any]) -> None:
        for frame in self._comfyui.noise:
            self._comfyui.send_message(self._client_id, frame)
        self._tell("execution_start")
        cached = [key for key, node in graph.items() if node["class_type"] == "Cached"]
        self._tell("execution_cached", nodes=cached)
        for key, node in graph.items():
            if key in cached:
                continue
            # Other tasks run, as they do while a node computes.
            await asyncio.sleep(0)
            self._state(key, 0.0, 1.0)
            self._tell("executing", node=key, display_node=key)
            if node["class_type"] == "Stopper":
                self._comfyui.running.clear()
                self._comfyui.send_message(self._client_id, None)
                return
            if not await self._node(key, node["class_type"], node["inputs"]):
                break
            self._state(key, 1.0, 1.0)
        else:
            self._tell("execution_success")
        self._comfyui.history[self._prompt_id] = {"outputs": self._outputs, "status": {"messages": self._messages}}
        self._tell("executing", node=None)

    async def _node(self, key: str, class_type: str, inputs: dict[str, Any]) -> bool:
        where = {"node_id": key, "node_type": class_type, "executed": list(self._outputs)}
        match class_type:
            case "Waiter":
                self._comfyui.waiting.put(self._prompt_id)
                await self._comfyui.released.wait()
                if self._comfyui.is_interrupted:
                    self._tell("execution_interrupted", **where)
                    return False
            case "Raiser":
                error = {"exception_message": inputs["reason"], "exception_type": "RuntimeError"}
                lines = ["  File nodes.py, line 1\n", f"RuntimeError: {inputs['reason']}\n"]
                self._tell("execution_error", **where, **error, traceback=lines, current_inputs={})
                return False
            case "Leaver":
                self._comfyui.send_message(self._client_id, None)
            case "Sampler":
                for step in range(1, inputs["steps"] + 1):
                    self._state(key, step, inputs["steps"])
                    self._tell("progress", value=step, max=inputs["steps"], node=key)
                    self._comfyui.send_message(self._client_id, PREVIEW)
            case "Saver" | "Preview3D":
                self._outputs[key] = inputs["ui"]
                self._tell("executed", node=key, display_node=key, output=inputs["ui"])
        return True

    def _state(self, node: str, value: float, most: float) -> None:
        self._states[node] = {
            "value": value,
            "max": most,
            "state": "finished" if value == most else "running",
            "node_id": node,
            "prompt_id": self._prompt_id,
            "display_node_id": node,
            "parent_node_id": None,
            "real_node_id": node,
        }
        self._tell("progress_state", nodes=self._states)

    def _tell(self, kind: str, **data: Any) -> None:
        data = {"prompt_id": self._prompt_id, **data}
        if kind.startswith("execution"):
            data["timestamp"] = int(time.time() * 1000)
            self._messages.append([kind, data])
        self._comfyui.send_message(self._client_id, json.dumps({"type": kind, "data": data}))


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Shorten the waits for ComfyUI."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("comfydeploy._emulator.comfyui.messages._PAUSE", 0.01)
        patch.setattr("comfydeploy._emulator.comfyui.messages._TRIES", 10)
        patch.setattr("comfydeploy._emulator.comfyui.prompt._POLLING", 0.01)
        yield


@pytest.fixture(scope="session")
def fake() -> type[FakeComfyUI]:
    """Start another ComfyUI, which may be broken: with fake() as comfyui."""
    return FakeComfyUI


# Module scope at most: pings of a connected server draw random numbers, which property tests elsewhere seed.
@pytest.fixture(scope="module")
def comfyui() -> Iterator[FakeComfyUI]:
    """A current ComfyUI."""
    with FakeComfyUI() as comfyui:
        yield comfyui


@pytest.fixture
def workflows(tmp_path) -> Callable[..., Path]:
    """Write graphs into a folder: workflows(flux={...})."""
    folder = tmp_path / "workflows"
    folder.mkdir()

    def write(**graphs: Any) -> Path:
        for name, graph in graphs.items():
            (folder / f"{name}.json").write_text(json.dumps(graph))
        return folder

    return write


class Local:
    """A local server that forwards graphs to ComfyUI, and a client of it."""

    def __init__(self, emulator: Emulator, core: ComfyDeployCore) -> None:
        self.emulator = emulator
        self.core = core
        self._deployment = unwrap(deployments_list(core))[0]

    def request(self, *nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Return the request that runs these nodes, numbered from 1."""
        return {
            "workflow_id": self._deployment.workflow_id,
            "machine_id": self._deployment.machine_id,
            "workflow_api_json": {str(number): node for number, node in enumerate(nodes, 1)},
            **fields,
        }

    def streamed(self, request: dict[str, Any]) -> list[tuple[str, Any]]:
        """Stream a run to its end; return the kind and the data of each event, with log lines as the kind "log"."""
        with unwrap(run_stream(self.core, request)) as stream:
            return [_message_of(unwrap(item)) for item in stream]

    def stream(self, request: dict[str, Any]) -> Any:
        """Stream a run."""
        return run_stream(self.core, request)

    def ran_at_once(self, requests: list[dict[str, Any]]) -> list[list[WorkflowRunOutputModel]]:
        """Run all requests at the same time; return the outputs of each."""

        async def run() -> list[list[WorkflowRunOutputModel]]:
            async with ComfyDeployCore(bearer=self.emulator.bearer, server_url=self.emulator.url) as core:
                return [unwrap(one) for one in await asyncio.gather(*(run_sync_async(core, r) for r in requests))]

        return asyncio.run(run())

    def ended(self, run_id: str) -> WorkflowRunModel:
        """Read a run until it has ended."""
        return self._read_until(run_id, lambda run: run.is_ended)

    def until(self, run_id: str, status: str) -> WorkflowRunModel:
        """Read a run until it has a status."""
        return self._read_until(run_id, lambda run: run.status == status)

    def _read_until(self, run_id: str, is_over: Callable[[WorkflowRunModel], bool]) -> WorkflowRunModel:
        until = time.monotonic() + 30
        while not is_over(run := unwrap(run_get(self.core, run_id))):
            assert time.monotonic() < until, run
        return run


def _message_of(item: Any) -> tuple[str, Any]:
    match item:
        case EventUpdateEvent(data=EventUpdate(event=kind, data=data)):
            return kind or "", data
        case LogUpdateEvent(data=LogUpdate(logs=line)):
            return "log", line
    raise AssertionError(item)


@pytest.fixture(scope="module")
def forwarding() -> Iterator[Callable[..., Local]]:
    """Start a local server that forwards runs to a ComfyUI: forwarding(comfyui.url)."""
    with ExitStack() as exits:

        def start(address: str, **options: Any) -> Local:
            # With all networks allowed no name of an input is looked up.
            usual = {"pace": 0, "comfyui": address, "allowed_networks": "private"}
            emulator = exits.enter_context(Emulator(**{**usual, **options}))
            core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url)
            return Local(emulator, exits.enter_context(core))

        yield start


@pytest.fixture(scope="module")
def local(forwarding, comfyui) -> Local:
    return forwarding(comfyui.url)


@pytest.fixture(scope="session")
def node() -> Callable[..., dict[str, Any]]:
    """Create a node: node("Saver", ui={...})."""
    return lambda class_type, **inputs: {"class_type": class_type, "inputs": inputs}


@pytest.fixture(scope="session")
def saver(node) -> dict[str, Any]:
    """A node that saves a picture."""
    return node("Saver", ui={"images": [{"filename": "a_00001_.png", "subfolder": "", "type": "output"}]})
