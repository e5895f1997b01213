"""The vendor's Python SDK, in its two last versions."""

import sys
import time
from importlib import import_module
from typing import Any


def lost(run: Any, request: dict[str, Any]) -> str:
    return f"returned {run.deployment.queue(request=request).create_run_response.run_id}"


lost_502 = lost


def lost_retries(run: Any, request: dict[str, Any]) -> str:
    utils = import_module("comfydeploy.utils")
    retries = utils.RetryConfig("backoff", utils.BackoffStrategy(1, 50, 1.1, 3000), retry_connection_errors=True)
    return f"returned {run.deployment.queue(request=request, retries=retries).create_run_response.run_id}"


lost_502_retries = lost_retries


def waited(run: Any, request: dict[str, Any]) -> str:
    run_id = run.deployment.queue(request=request).create_run_response.run_id
    while True:
        state = run.get(run_id=run_id).workflow_run_model
        if state.status in {"success", "failed", "timeout", "cancelled"}:
            return f"returned a run that is {state.status}"
        time.sleep(0.05)


poll_502 = poll_nginx = poll_reset = waited


def failed(run: Any, request: dict[str, Any]) -> str:
    if not hasattr(run.deployment, "sync"):
        return waited(run, request)
    answer = vars(run.deployment.sync(request=request))
    return f"returned {next(value for name, value in answer.items() if name != 'http_meta')!r}"


def streamed(run: Any, request: dict[str, Any]) -> str:
    if not hasattr(run.deployment, "stream"):
        return "has no streams"
    count = 0
    with run.deployment.stream(request=request).run_stream as stream:
        try:
            for _ in stream:
                count += 1
        except Exception as error:
            return f"{count} events, then {type(error).__name__}"
    return f"{count} events"


broken = streamed


def absent(_: Any, __: Any) -> str:
    return "has nothing of the kind"


if __name__ == "__main__":
    question, address, deployment = sys.argv[1:]
    # By name, since in the checkout the name means another package.
    with import_module("comfydeploy").ComfyDeploy(bearer="local-key", server_url=address) as client:
        try:
            print(
                globals().get(question, absent)(
                    client.run, {"deployment_id": deployment, "inputs": {"prompt": "a cat"}}
                )
            )
        except Exception as error:
            print(f"raised {type(error).__name__}: {' '.join(str(error).split())[:160]}")
