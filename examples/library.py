"""A function of a library: it draws pictures, never raises, and has a closed set of errors."""

from comfydeploy import ComfyDeployCore, RequestOptions, Result, closed, opened
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.outcome import WaitError

LIMIT = RequestOptions(deadline=600)


def draw(core: ComfyDeployCore, deployment_id: str, prompt: str) -> Result[list[str], WaitError]:
    """Return the addresses of the pictures; a run is cancelled after ten minutes."""
    request = {"deployment_id": deployment_id, "inputs": {"prompt": prompt}}
    run = opened(run_queue_and_wait(core, request, LIMIT, on_abandon="cancel"))
    return closed(run.map(lambda run: [file.url for output in run.outputs for file in output.files]))
