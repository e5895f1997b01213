"""Filling the inputs of a run into its graph, as the service does."""

import json
import mimetypes
from base64 import b64decode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from socket import gaierror
from typing import Any, BinaryIO, Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from comfydeploy._emulator.comfyui.client import ComfyUI
from comfydeploy._emulator.comfyui.graph import class_of, inputs_of
from comfydeploy._emulator.documents import json_list
from comfydeploy._emulator.networks import Networks

PREFIX: Final = "ComfyUIDeployExternal"

# Every node takes its value as ``input_id``; these need it under a second name.
_PLACES: Final = {
    "Text": "default_value",
    "TextAny": "default_value",
    "TextSingleLine": "default_value",
    "TextList": "text",
    "Boolean": "default_value",
    "Seed": "default_value",
    "Enum": "default_value",
    "Checkpoint": "default_value",
    "Lora": "lora_url",
    "FaceModel": "face_model_url",
    "ImageBatch": "images",
    "Audio": "audio_file",
    "EXR": "exr_file",
    "File": "file_url",
}
_IMAGES: Final = {"Image", "ImageAlpha", "ImageBatch"}
_FILES: Final = _IMAGES | {"Video", "Vid", "Audio", "EXR", "File", "Lora", "FaceModel", "Checkpoint"}
# What image nodes decode themselves; everything else they load from an address.
_DECODED: Final = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,")


def is_input(node: object) -> bool:
    """Return whether a node takes an input of the run."""
    return class_of(node).startswith(PREFIX)


class Inputs:
    """Fills inputs into graphs; files that ComfyUI's nodes could not load are uploaded to it.

    ``stored`` returns the file of an address of this server, by its path; ``base`` is the server's address as the
    client wrote it.
    """

    def __init__(self, comfyui: ComfyUI, stored: Callable[[str], Path | None], networks: Networks, base: str) -> None:
        self._comfyui: Final = comfyui
        self._stored: Final = stored
        self._networks: Final = networks
        self._base: Final = base

    async def filled(self, graph: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the graph with the inputs filled in; an input that no node takes is ignored."""
        return {node_id: await self._filled(node, inputs) for node_id, node in graph.items()}

    async def _filled(self, node: Any, inputs: Mapping[str, Any]) -> Any:
        class_type, own = class_of(node), inputs_of(node)
        input_id = own.get("input_id")
        if not class_type.startswith(PREFIX) or not isinstance(input_id, str) or input_id not in inputs:
            return node
        kind = class_type.removeprefix(PREFIX)
        value = await self._loadable(kind, inputs[input_id])
        return {**node, "inputs": {**own, "input_id": value, _PLACES.get(kind, "input_id"): value}}

    async def _loadable(self, kind: str, value: Any) -> Any:
        if kind == "ImageBatch" and (images := _listed(value)):
            return json.dumps([await self._at_hand("Image", image) for image in images])
        # A list in a graph would be a link to another node.
        return json.dumps(value) if isinstance(value, list) else await self._at_hand(kind, value)

    async def _at_hand(self, kind: str, value: Any) -> Any:
        if kind not in _FILES or not isinstance(value, str):
            return value
        if value.startswith("data:") and not (kind in _IMAGES and value.startswith(_DECODED)):
            return await self._uploaded_data(kind, value)
        if value.startswith(self._base):
            # ComfyUI may be on a computer that cannot reach this one.
            if path := self._stored(unquote(urlsplit(value).path)):
                with path.open("rb") as content:
                    return await self._uploaded(kind, path.name, content)
        elif value.startswith(("http://", "https://")):
            await self._check(value)
        return value

    async def _check(self, address: str) -> None:
        """Raise ``RefusedAddressError`` for an address in a private network."""
        try:
            parts = urlsplit(address)
            await self._networks.check_host(parts.hostname or "", parts.port or 80)
        except (ValueError, gaierror):
            # ComfyUI may resolve names that this computer does not.
            pass

    async def _uploaded(self, kind: str, name: str, content: bytes | BinaryIO) -> str:
        # The node of files checks the end of the address, which only user data has.
        upload = self._comfyui.upload_user_data if kind == "File" else self._comfyui.upload
        return await upload(name, content)

    async def _uploaded_data(self, kind: str, value: str) -> str:
        head, _, body = value.partition(",")
        try:
            content = b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
        except ValueError:
            return value
        suffix = mimetypes.guess_extension(head.removeprefix("data:").partition(";")[0]) or ""
        # The same content has the same name, so that ComfyUI need not execute a node again.
        return await self._uploaded(kind, f"comfydeploy-{sha256(content).hexdigest()[:16]}{suffix}", content)


def _listed(value: Any) -> list[Any]:
    try:
        return json_list(json.loads(value) if isinstance(value, str) else value)
    except ValueError:
        return []
