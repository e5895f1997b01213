"""The machines and the public models: those that are there, and those of files in the data folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from comfydeploy._emulator.clock import to_microseconds
from comfydeploy._emulator.deployments.catalogue import Catalogue
from comfydeploy._emulator.deployments.deployment import CREATED, GPU, USER
from comfydeploy._emulator.runs.database import DataError

LARGEST: Final = 1024 * 1024


class _Entry(BaseModel):
    """An object of a file: the fields of the service, of which these are required."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str


_ENTRIES: Final = TypeAdapter(list[_Entry])
_MACHINE: Final[Mapping[str, Any]] = {
    "user_id": USER,
    "org_id": None,
    "type": "comfy-deploy-serverless",
    "status": "ready",
    "gpu": GPU,
    "machine_version": None,
    "machine_builder_version": "4",
    "comfyui_version": None,
    "import_failed_logs": None,
    "machine_version_id": None,
    "is_workspace": False,
    "created_at": to_microseconds(CREATED),
    "updated_at": to_microseconds(CREATED),
}
_SETTINGS: Final[Mapping[str, Any]] = {
    "deleted": False,
    "endpoint": "",
    "concurrency_limit": 2,
    "run_timeout": 300,
    "idle_timeout": 60,
    "docker_command_steps": None,
    "keep_warm": 0,
    "allow_concurrent_inputs": 1,
    "base_docker_image": None,
    "python_version": None,
    "extra_args": None,
    "prestart_command": None,
    "install_custom_node_with_gpu": False,
    "optimized_runner": False,
    "disable_metadata": True,
    "cpu_request": None,
    "cpu_limit": None,
    "memory_request": None,
    "memory_limit": None,
    "models_to_cache": [],
    "enable_gpu_memory_snapshot": False,
}
_MODEL: Final[Mapping[str, Any]] = {
    "is_comfyui": False,
    "preview_image": None,
    "inputs": [],
    "outputs": [],
    "tags": [],
    "fal_id": None,
    "cost_per_megapixel": None,
}
_EXAMPLE: Final[Mapping[str, Any]] = {
    **_MODEL,
    "id": "local-picture",
    "name": "Local picture",
    "inputs": [
        {
            "input_id": "prompt",
            "class_type": "ComfyUIDeployExternalText",
            "required": True,
            "default_value": "a quiet harbour at dawn",
            "min_value": None,
            "max_value": None,
            "display_name": None,
            "description": None,
            "enum_values": None,
        }
    ],
    "tags": ["image"],
}


class Listings:
    """The machines of the deployments and those of ``machines.json``, the models of ``models.json`` or an example."""

    def __init__(self, data: Path | None, catalogue: Catalogue) -> None:
        self._catalogue: Final = catalogue
        self._machines: Final = _entries(data and data / "machines.json")
        self._models: Final = _entries(data and data / "models.json")

    def machines(self) -> list[dict[str, Any]]:
        """Return the machines with all of their columns."""
        named = {one.own_machine_id: one.name for one in self._catalogue.all()}
        own = [{**_MACHINE, **_SETTINGS, "id": id_, "name": name} for id_, name in named.items()]
        return [*own, *({**_MACHINE, **_SETTINGS, **entry} for entry in self._machines)]

    def machine_rows(self) -> list[dict[str, Any]]:
        """Return the machines with the columns of a list."""
        return [{name: one[name] for name in ("id", "name", *_MACHINE)} for one in self.machines()]

    def models(self) -> list[dict[str, Any]]:
        """Return the public models."""
        return [{**_MODEL, **entry} for entry in self._models] or [dict(_EXAMPLE)]


def _entries(path: Path | None) -> list[dict[str, Any]]:
    """Return the objects of a file; raise ``DataError`` for one that cannot be used."""
    if path is None or not path.is_file():
        return []
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path} has more than {LARGEST:,} bytes: make it smaller, or move it away")
    try:
        found = _ENTRIES.validate_json(path.read_bytes())
    except (ValidationError, OSError):
        raise DataError(
            f"{path}: expected a JSON list of objects with an id and a name; correct it or move it"
        ) from None
    return [entry.model_dump() for entry in found]
