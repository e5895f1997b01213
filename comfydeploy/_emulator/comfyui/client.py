"""ComfyUI's interface, as far as runs need it."""

import asyncio
import os
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from comfydeploy._emulator.documents import json_list, json_object

COMFY_ORG_KEY: Final = "COMFY_ORG_API_KEY"
_FOLDER: Final = "comfydeploy"
_CHUNK: Final = 1024 * 1024  # bytes
# A ComfyUI that hangs must not delay the end of a run.
_GIVING_UP: Final = 3.0  # seconds


class ComfyUIError(Exception):
    """ComfyUI cannot be reached, or its response is not the expected one."""


class ComfyUI:
    """The ComfyUI at ``address``; connections are opened when they are first needed."""

    def __init__(self, address: str) -> None:
        try:
            url = httpx.URL(address)
        except (httpx.InvalidURL, TypeError):
            url = httpx.URL()
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("comfyui must be an address, such as http://127.0.0.1:8188; the http:// is needed")
        self._url: Final = url.copy_with(query=None, fragment=None)
        # Without the password that an address may carry.
        self.address: Final = str(self._url.copy_with(userinfo=b"")).rstrip("/")
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections; they may be opened again, in another event loop too."""
        if self._client:
            await self._client.aclose()
            self._client = None

    async def connect(self, client_id: str) -> ClientConnection:
        """Open the connection over which ComfyUI sends a client the messages of its prompts."""
        scheme = {"http": "ws", "https": "wss"}[self._url.scheme]
        path = f"{self._url.path.rstrip('/')}/ws"
        uri = str(self._url.copy_with(scheme=scheme, path=path, params={"clientId": client_id}))
        try:
            # Previews may be of any size, and a proxy of the environment could not reach a ComfyUI on this computer.
            return await connect(uri, max_size=None, compression=None, proxy=None, close_timeout=1)
        except (OSError, WebSocketException) as error:
            raise self._unreachable(error) from error

    async def queue(self, graph: dict[str, Any], workflow: Any, prompt_id: str, client_id: str) -> dict[str, Any]:
        """Queue a graph; the response has a ``prompt_id``, or the ``error`` for which the graph is refused.

        Older ComfyUIs choose the id themselves.
        """
        body: dict[str, Any] = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}
        extra: dict[str, Any] = {}
        if workflow is not None:
            extra["extra_pnginfo"] = {"workflow": workflow}
        if key := os.environ.get(COMFY_ORG_KEY):
            # For the nodes that Comfy.org bills.
            extra["api_key_comfy_org"] = key
        if extra:
            body["extra_data"] = extra
        response = await self._request("POST", "/prompt", json=body)
        answer = _document(response)
        if not answer.keys() & {"prompt_id", "error"}:
            raise ComfyUIError(f"ComfyUI answered POST /prompt with {response.status_code}: {response.text[:200]}")
        return answer

    async def is_queued(self, prompt_id: str) -> bool:
        """Return whether a prompt waits or is executed."""
        return await self._is_in(prompt_id, "queue_running", "queue_pending")

    async def history(self, prompt_id: str) -> dict[str, Any]:
        """Return ComfyUI's history of a prompt that has ended, otherwise nothing."""
        return json_object(_document(await self._request("GET", f"/history/{prompt_id}")).get(prompt_id))

    async def give_up(self, prompt_id: str) -> None:
        """Take a prompt out of the queue, or interrupt it."""
        with suppress(ComfyUIError, TimeoutError):
            async with asyncio.timeout(_GIVING_UP):
                await self._request("POST", "/queue", json={"delete": [prompt_id]})
                # Older ComfyUIs ignore the id and interrupt the running prompt.
                if await self._is_in(prompt_id, "queue_running"):
                    await self._request("POST", "/interrupt", json={"prompt_id": prompt_id})

    async def upload(self, name: str, content: bytes | BinaryIO) -> str:
        """Upload a file to ComfyUI's inputs; return the address under which its nodes can load it."""
        # In a separate folder, so that they do not fill the list of inputs on ComfyUI's page.
        data = {"subfolder": _FOLDER, "overwrite": "true"}
        response = await self._request("POST", "/upload/image", files={"image": (name, content)}, data=data)
        kept = _document(response)
        if "name" not in kept:
            raise _refused(name, response)
        params = {"filename": kept["name"], "subfolder": kept.get("subfolder", ""), "type": kept.get("type", "input")}
        return f"{self.address}/view?{httpx.QueryParams(params)}"

    async def upload_user_data(self, name: str, content: bytes | BinaryIO) -> str:
        """Store a file in ComfyUI's user data; return its address, which ends with the name."""
        body = content if isinstance(content, bytes) else await asyncio.to_thread(content.read)
        path = f"/userdata/{quote(f'{_FOLDER}/{name}', safe='')}"
        response = await self._request("POST", path, content=body, params={"overwrite": "true"})
        if not response.is_success:
            raise _refused(name, response)
        return f"{self.address}{path}"

    async def position(self, prompt_id: str) -> int | None:
        """Return the position of a prompt among those that wait or are executed; the first is 1."""
        queue = _document(await self._request("GET", "/queue"))
        waiting = sorted(map(json_list, json_list(queue.get("queue_pending"))), key=lambda item: item[:1])
        items = [*map(json_list, json_list(queue.get("queue_running"))), *waiting]
        return next((number for number, item in enumerate(items, 1) if prompt_id in item[:2]), None)

    async def node_classes(self) -> frozenset[str]:
        """Return the classes of nodes that ComfyUI has."""
        return frozenset(_document(await self._request("GET", "/object_info")))

    async def fetch(self, file: dict[str, Any], path: Path) -> None:
        """Copy an output to ``path``, one piece at a time."""
        params: dict[str, Any] = {key: file[key] for key in ("filename", "subfolder", "type") if key in file}
        try:
            async with self._opened().stream("GET", "/view", params=params) as response:
                if not response.is_success:
                    raise ComfyUIError(
                        f"ComfyUI answered {response.status_code} for its output {file['filename']}: "
                        "its output folder may have been cleaned"
                    )
                with path.open("wb") as copy:
                    async for chunk in response.aiter_bytes(_CHUNK):
                        await asyncio.to_thread(copy.write, chunk)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def _is_in(self, prompt_id: str, *lists: str) -> bool:
        queue = _document(await self._request("GET", "/queue"))
        return any(prompt_id in json_list(item) for name in lists for item in json_list(queue.get(name)))

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self._opened().request(method, path, **content)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._url, trust_env=False, timeout=httpx.Timeout(60, connect=10, pool=None)
            )
        return self._client

    def _unreachable(self, error: Exception) -> ComfyUIError:
        return ComfyUIError(f"ComfyUI at {self.address} cannot be reached: {type(error).__name__}: {error}")


def _refused(name: str, response: httpx.Response) -> ComfyUIError:
    reason = f"it answered {response.status_code}"
    if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        reason += ", because the file is larger than its --max-upload-size"
    return ComfyUIError(f"ComfyUI did not take the file {name}: {reason}")


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        return json_object(response.json())
    except ValueError:
        return {}
