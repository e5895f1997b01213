"""Each way of a hook, at each stage, with each outcome: an error or a result, and never a lost run."""

import httpx
import pytest
from attrs import evolve

from comfydeploy import ComfyDeployCore
from comfydeploy.errors import SDKError, SDKValidationError, UnexpectedClientError
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.hooks import Hooks
from comfydeploy.result import Failure, Success

REQUEST = {"deployment_id": "5b1f9d0e-2c47-4f0a-8b6d-1e3a7c9f2d44"}
STAGES = ["before_create_request", "before_request", "after_success", "after_error"]


def raises(*_):
    raise LookupError("of a hook")


WAYS = {
    "nothing": lambda *_: None,
    "same": lambda *data: data[-1],
    "changed": lambda *data: evolve(data[-1], **({"message": "mine"} if len(data) == 3 else {})),
    "another": lambda *_: object(),
    "raises": raises,
}
OUTCOMES = {
    "created": (200, b'{"run_id":"r"}', "answered"),
    "unreadable": (200, b"[]", "answered"),
    "refused": (401, b"{}", "answered"),
    "broken": (500, b"{}", "answered"),
    "lost": (None, b"", "unknown"),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", STAGES)
def test_hook(stage, way, outcome):
    status, body, fate = OUTCOMES[outcome]
    sent = []

    def respond(request):
        sent.append(request)
        if status is None:
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(status, content=body, headers={"content-type": "application/json"})

    hooks = Hooks(**{stage: WAYS[way]})
    with ComfyDeployCore(bearer="key", hooks=[hooks], transport=httpx.MockTransport(respond)) as core:
        result = run_queue(core, REQUEST)
    is_called = stage == ("after_success" if status == 200 else "after_error") or stage.startswith("before")
    # An unreadable response is an error, for whose hooks it is called too.
    is_called = is_called or (stage == "after_error" and outcome == "unreadable")
    if way in ("another", "raises") and is_called:
        error = result.failure()
        assert type(error) is UnexpectedClientError
        assert isinstance(error.__cause__, LookupError if way == "raises" else TypeError)
        assert bool(sent) == (not stage.startswith("before"))
        assert error.fate == (fate if sent else "not_sent")
        assert error.run_id == ("r" if sent and outcome == "created" else None)
    elif outcome == "created":
        assert isinstance(result, Success)
        assert result.unwrap().run_id == "r"
    else:
        assert isinstance(result, Failure)
        error = result.failure()
        assert error.fate == fate
        assert (error.message == "mine") == (stage == "after_error" and way == "changed")
        assert isinstance(
            error, {"refused": SDKError, "broken": SDKError, "unreadable": SDKValidationError}.get(outcome, Exception)
        )
