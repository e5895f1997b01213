"""Requests and responses in the shape and size of the real server's."""

import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any, Final

TOKEN: Final = "token"
RUN_ID: Final = "0b6f3a52-8a1d-4c1e-9d0f-5e7c2b9a4f10"
REQUEST: Final[dict[str, Any]] = {
    "deployment_id": "5b1f9d0e-2c47-4f0a-8b6d-1e3a7c9f2d44",
    "inputs": {"prompt": "a lighthouse at dusk", "seed": 7, "width": 1024, "height": 1024},
}
QUEUED: Final = json.dumps({"run_id": RUN_ID}, separators=(",", ":")).encode()


def run(outputs: int) -> bytes:
    """Return the response for a run that has ended, with a number of outputs of one picture each."""
    moment = "2026-03-14T09:26:53.589793Z"
    document = {
        "id": RUN_ID,
        "workflow_version_id": "c3a1e7d2-6b54-4f8e-a0c9-7d2e4b6f8a13",
        "workflow_inputs": REQUEST["inputs"],
        "workflow_id": "d4b2f8e3-7c65-4a9f-b1d0-8e3f5c7a9b24",
        "workflow_api": None,  # not sent by the real server, and required by the official SDK
        "machine_id": "e5c3a9f4-8d76-4b0a-82e1-9f4a6d8b0c35",
        "origin": "api",
        "status": "success",
        **dict.fromkeys(("ended_at", "created_at", "updated_at", "queued_at", "started_at"), moment),
        "gpu_event_id": "f6d4b0a5-9e87-4c1b-93f2-0a5b7e9c1d46",
        "gpu": "A10G",
        "machine_version": None,
        "machine_type": "comfy-deploy-serverless",
        "modal_function_call_id": "fc-01H9XK3ZQ8T5V2W7Y4B6N1M0PD",
        "user_id": "user_2b4d6f8h0j",
        "org_id": None,
        "live_status": "Executing SaveImage",
        "progress": 1.0,
        "is_realtime": False,
        "webhook": "https://example.com/hooks/comfy",
        "webhook_status": None,
        "webhook_intermediate_status": False,
        "outputs": [_output(number, moment) for number in range(outputs)],
        "number": 0,
        "duration": 12.125564,
        "cold_start_duration": 1.030158,
        "cold_start_duration_total": 2.683603,
        "run_duration": 9.441961,
        "queue_position": None,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _output(number: int, moment: str) -> dict[str, Any]:
    filename = f"ComfyUI_{number:05}_.png"
    picture = {
        "url": f"https://example.com/outputs/runs/{RUN_ID}/{filename}",
        "type": "output",
        "filename": filename,
        "is_public": True,
        "subfolder": "",
        "upload_duration": 0.23695441500012748,
    }
    return {
        "id": f"9db19e52-7971-4fd7-80a5-{number:012}",
        "output_id": "result",
        "run_id": RUN_ID,
        "data": {"images": [picture]},
        "node_meta": {"node_id": "7"},
        "created_at": moment,
        "updated_at": moment,
        "type": None,
        "node_id": None,
    }


def events(count: int) -> Iterator[bytes]:
    """Return the events of a stream, with the two kinds mixed as in a run."""
    moment = "2026-03-14T09:26:53.589793Z"
    steps = [
        _event("event_update", {"event": "executing", "data": {"node": "5", "prompt_id": RUN_ID}}),
        _event("log_update", {"logs": "At: 38% - KSampler", "timestamp": moment}),
        _event("event_update", {"event": "progress", "data": {"value": 4, "max": 20, "prompt_id": RUN_ID}}),
        _event("log_update", {"logs": "Have_upload True Node Id: 8", "timestamp": moment}),
        _event("log_update", {"logs": "| #3      | EmptyImage      | 0.00     | 0.00      |", "timestamp": moment}),
    ]
    return islice(cycle(steps), count)


def big_event(size: int) -> bytes:
    """Return one event with a text of a number of bytes."""
    return _event("event_update", {"event": "executed", "data": {"output": {"text": ["x" * size]}}})


def _event(name: str, payload: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(payload)}\n\n".encode()
