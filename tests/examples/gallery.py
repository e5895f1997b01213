"""A small application: it orders pictures, receives their webhooks, and stores them in a folder."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from comfydeploy import BackoffStrategy, ComfyDeployCore, Failure, RequestOptions, RetryConfig, Success
from comfydeploy.funcs.run_first_result import run_first_result_async
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.models import DeploymentRunRequest
from comfydeploy.webhooks import (
    WebhookAnswer,
    WebhookProgress,
    webhook_parse,
    webhook_progress,
    webhook_response,
    webhook_url,
    webhook_verify,
)

PATIENT = RequestOptions(timeout=30, retries=RetryConfig("backoff", BackoffStrategy(max_elapsed_time=60)))


class Gallery:
    """The pictures of a deployment; the service sends the states of its runs to ``address``."""

    def __init__(self, core: ComfyDeployCore, deployment_id: str, folder: Path, address: str, secret: str) -> None:
        self.core = core
        self.deployment_id = deployment_id
        self.folder = folder
        self.address = address
        self.secret = secret
        self.runs: dict[str, WebhookProgress] = {}

    def order(self, prompt: str) -> str | None:
        """Order a picture without waiting; return the id of its run, or ``None`` if there is no service."""
        webhook = webhook_url(self.address, self.secret, reference=prompt).unwrap()
        match run_queue(self.core, self._request(prompt, webhook), PATIENT):
            case Success(created):
                return created.run_id
            case Failure():
                return None

    async def draw(self, prompt: str) -> Path | None:
        """Order a picture and wait for it; return its file, or ``None`` if there is none."""
        match await run_first_result_async(self.core, self._request(prompt), PATIENT, to=self._path(prompt)):
            case Success():
                return self._path(prompt)
            case Failure():
                return None

    def receive(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Receive a webhook, and store the picture of a run that has succeeded."""
        match webhook_verify(url, self.secret):
            case Failure(error):
                return webhook_response(str(error), 401)
            case Success(token):
                prompt = token.reference or "picture"
        match webhook_parse(method, headers, body):
            case Failure(error):
                return webhook_response(str(error), 400)
            case Success(delivery):
                run = self.runs[delivery.run_id] = webhook_progress(self.runs.get(delivery.run_id), delivery)
        if run.status == "success" and not self._path(prompt).exists():
            picture = httpx.get(run.outputs[0].files[0].url)
            if picture.is_error:
                return webhook_response("the picture is not available: deliver it again", 503)
            self._path(prompt).write_bytes(picture.content)
        return webhook_response()

    def _path(self, prompt: str) -> Path:
        return self.folder / f"{prompt}.png"

    def _request(self, prompt: str, webhook: str | None = None) -> DeploymentRunRequest:
        return DeploymentRunRequest(deployment_id=self.deployment_id, inputs={"prompt": prompt}, webhook=webhook)
