"""What the forms of the page do."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from comfydeploy._emulator import uploads
from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.deployments.forms import ANY_FORM
from comfydeploy._emulator.faults.faults import Faults
from comfydeploy._emulator.orders import order_of
from comfydeploy._emulator.page.contents import Contents, Filled, View
from comfydeploy._emulator.page.fault_fields import FAULT_FIELDS
from comfydeploy._emulator.page.fields import Field, input_fields
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.runs.run import ENDED
from comfydeploy._emulator.validation import UnprocessableError, validated
from comfydeploy._emulator.web import requests
from comfydeploy._emulator.web.responses import BrokenError

# As the service's own page names what it starts.
_ORIGIN: Final = "manual"
_NO_START: Final = (
    "A client would get a 500 for this request: the outcome of the run is CannotStart(at_once=True), and it is"
    " listed as failed; or the quirk broken-storing does not store it."
)


class Actions:
    """Starts, repeats and cancels runs, and switches quirks and faults; each returns an address, or what to show."""

    def __init__(self, backend: Backend, faults: Faults, contents: Contents) -> None:
        self._backend: Final = backend
        self._faults: Final = faults
        self._contents: Final = contents

    async def run(self, request: Request, form: FormData) -> str | View:
        """Start a run of a deployment with the inputs of its form."""
        deployment_id = request.path_params["deployment_id"]
        try:
            deployment = self._backend.catalogue.find("id", deployment_id, "")
        except NotFoundError:
            return self._contents.missing("deployment", deployment_id)
        inputs, filled = await self._read(input_fields(deployment.input_types), form, request)
        if filled.errors:
            return self._contents.deployment(request, filled)
        return self._start({"deployment_id": deployment.id, "inputs": inputs}, request)

    async def again(self, request: Request, _: FormData) -> str | View:
        """Start a run like another one."""
        run = self._backend.store.run(request.path_params["run_id"])
        if not run:
            return self._contents.missing("run", request.path_params["run_id"])
        body: dict[str, Any] = {
            "inputs": run.workflow_inputs,
            "gpu": run.gpu,
            "webhook": run.webhook,
            "webhook_intermediate_status": run.webhook_intermediate_status,
        }
        if run.deployment_id:
            return self._start({**body, "deployment_id": run.deployment_id}, request)
        if run.workflow_version_id:
            version = {"workflow_version_id": run.workflow_version_id, "machine_id": run.machine_id}
            return self._start({**body, **version}, request)
        reason = "It executed a graph of its request, which is not kept. Send the request again from your program."
        return self._contents.refused("This run cannot be repeated", reason, 409)

    async def cancel(self, request: Request, _: FormData) -> str | View:
        """Cancel a run."""
        run = self._backend.store.run(request.path_params["run_id"])
        if not run:
            return self._contents.missing("run", request.path_params["run_id"])
        if run.status not in ENDED:
            await self._backend.machine.cancel(run.id, requests.base(request))
        return f"/runs/{quote(run.id)}"

    async def switch_quirks(self, _: Request, form: FormData) -> str | View:
        """Switch on the quirks that were chosen, and all others off."""
        chosen = form.getlist("quirk")
        self._backend.quirks.replace(quirk for quirk in Quirk if quirk in chosen)
        return "/switches"

    async def add_fault(self, request: Request, form: FormData) -> str | View:
        """Add a fault."""
        options, filled = await self._read(FAULT_FIELDS, form, request)
        operation = form.get("input-operation")
        texts, errors = {**filled.texts, "operation": str(operation)}, dict(filled.errors)
        if not errors:
            try:
                self._faults.add({"operation": operation, **options})
            except UnprocessableError as error:
                errors = {str(next(iter(one["loc"]), "")): str(one["msg"]) for one in error.problems}
        if not errors:
            return "/switches#faults"
        return self._contents.switches(request, Filled(texts, errors))

    async def clear_faults(self, *_: object) -> str | View:
        """Remove all faults."""
        self._faults.clear()
        return "/switches#faults"

    def _start(self, body: dict[str, Any], request: Request) -> str | View:
        """Start a run as the API does."""
        try:
            form = validated(ANY_FORM, {**body, "origin": _ORIGIN}, ())
            run = order_of(form, self._backend, requests.base(request)).start()
        except (NotFoundError, UnprocessableError) as error:
            return self._contents.refused("The run was not started", str(error), 422)
        except BrokenError:
            return self._contents.refused("The run was not started", _NO_START, 500)
        return f"/runs/{quote(run.id)}"

    async def _read(self, fields: Iterable[Field], form: FormData, request: Request) -> tuple[dict[str, Any], Filled]:
        """Return the values of a form, and the form as it was sent with its errors."""
        values: dict[str, Any] = {}
        texts: dict[str, str] = {}
        errors: dict[str, str] = {}
        for field in fields:
            given = form.getlist(field.control)
            text = "\n".join(one for one in given if isinstance(one, str))
            try:
                kept = [await self._kept(one, request) for one in given if isinstance(one, UploadFile) and one.filename]
                # A file replaces the address of an earlier one, where there is one only.
                text = "\n".join((text, *kept)).strip() if field.kind == "files" else (*kept, text)[0]
                value = field.read(text)
                if value is not None:
                    values[field.name] = value
            except ValueError as error:
                errors[field.name] = str(error)
            texts[field.name] = text
        return values, Filled(texts, errors)

    async def _kept(self, file: UploadFile, request: Request) -> str:
        """Keep an uploaded file and return its address."""
        name = file.filename or ""
        if not uploads.is_accepted(name):
            raise ValueError(f"The server does not take files such as {name}.")
        if (file.size or 0) > uploads.LARGEST:
            raise ValueError(f"{name} has more than {uploads.LARGEST // 1024**2} MB.")
        _, kept = await asyncio.to_thread(self._backend.uploads.keep, name, file.file)
        return f"{requests.base(request)}inputs/{kept}"
