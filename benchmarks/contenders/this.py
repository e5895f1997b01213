"""The client of this package."""

import sys
from tempfile import TemporaryDirectory

from comfydeploy import BackoffStrategy, ComfyDeployCore, Failure, RequestOptions, RetryConfig, Success
from comfydeploy.errors import Error
from comfydeploy.funcs.run_download import run_download
from comfydeploy.funcs.run_map import run_map
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.funcs.run_queue_once import run_queue_once
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.mapping import grid
from comfydeploy.models import DeploymentRunRequest
from comfydeploy.outcome import DownloadIncomplete, WaitError

_RETRIES = RequestOptions(retries=RetryConfig("backoff", BackoffStrategy(0.001, 0.05), retry_connection_errors=True))


def lost(core: ComfyDeployCore, request: DeploymentRunRequest, options: RequestOptions | None = None) -> str:
    match run_queue(core, request, options):
        case Success(created):
            return f"returned {created.run_id}"
        case Failure(error):
            return _error(error)


lost_502 = lost


def lost_retries(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    return lost(core, request, _RETRIES)


lost_502_retries = lost_retries


def lost_once(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    match run_queue_once(core, request, "cats-1"):
        case Success(once):
            return f"returned {once.run_id}"
        case Failure(error):
            return _error(error)


def waited(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    match run_queue_and_wait(core, request):
        case Success(run):
            return f"returned a run that is {run.status}"
        case Failure(error):
            return _error(error)


poll_502 = poll_nginx = poll_reset = failed = waited


def streamed(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    match run_stream(core, request):
        case Success(stream):
            with stream:
                items = list(stream)
            failures = [type(item.failure()).__name__ for item in items if isinstance(item, Failure)]
            return f"{len(items) - len(failures)} events and {failures}"
        case Failure(error):
            return _error(error)


broken = streamed


def saved(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    match run_queue_and_wait(core, request):
        case Success(run):
            with TemporaryDirectory() as folder:
                match run_download(core, run, to=folder):
                    case Success(paths):
                        return f"{len(paths)} file of {paths[0].stat().st_size:,} bytes"
                    case Failure(error):
                        return _error(error)
        case Failure(problem):
            return _error(problem)


cut = saved


def many(core: ComfyDeployCore, request: DeploymentRunRequest) -> str:
    # The journal is in the folder where the program is started; the second start goes on with it.
    jobs = grid({"deployment_id": request.deployment_id}, {"seed": range(100)})
    # The limits are those of a server on this computer: so long a job in doubt waits for its run to be listed.
    with run_map(core, jobs, journal="many.sqlite", to="{seed}{suffix}", post_limit=3, grace=1) as items:
        ended = [isinstance(item.result, Success) for item in items]
    return f"{sum(ended)} of {len(ended)} jobs have succeeded"


def _error(error: Error | WaitError | DownloadIncomplete) -> str:
    return f"failure {type(error).__name__}, fate {getattr(error, 'fate', '')}: {' '.join(str(error).split())[:160]}"


if __name__ == "__main__":
    question, address, deployment = sys.argv[1:]
    with ComfyDeployCore(bearer="local-key", server_url=address) as core:
        print(globals()[question](core, DeploymentRunRequest(deployment_id=deployment, inputs={"prompt": "a cat"})))
