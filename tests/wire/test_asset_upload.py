"""The registration of an asset whose response is lost, step by step."""

from functools import partial

import pytest

from comfydeploy._wire.asset_upload import storing
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy._wire.storage import StorageUploadExchange
from comfydeploy._wire.timeline import Send, Store, Timeline
from comfydeploy._wire.upload import checked_storage_upload
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import ConnectionError, RequestTimeoutError, SDKError, SDKValidationError
from comfydeploy.funcs import asset_get
from comfydeploy.models import Asset
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Success

ASSET = Asset(id="img_0")
TARGET = b'{"url": "http://storage/x", "download_url": "http://storage/x", "file_id": "img_0", "db_path": "img_0"}'
MISSING = Failure(SDKError("missing", 404))
LOSSES = {
    "500": SDKError("broken", 500),
    "a proxy that gave up": SDKError("late", 408),
    "reset": ConnectionError("reset", "unknown"),
    "timeout": RequestTimeoutError("late", "unknown"),
    "unreadable": SDKValidationError("no JSON", fate="answered"),
    "another type": SDKError("html", 200),
}


def play(registered, found, deadline=None, file=b"x", ids=None):
    """Return the result of an upload, and the steps after the registration."""
    reading = asset_get.OPERATION
    machine = partial(storing, reading=reading, file=file, parent_path="/", name="a.png", progress=None)
    steps, now, later, ids = machine(Timeline(0.0, deadline)), 0.0, [], [] if ids is None else ids
    action = next(steps)
    try:
        while True:
            result = None
            if isinstance(action, Send):
                assert action.operation.encode(action.argument)
                ids.append(action.operation.id)
            if isinstance(action, Sleep):
                now += action.seconds
            elif isinstance(action, Store):
                result = Success(None)
            elif action.operation is reading:
                result = found.pop(0)
            elif action.operation.creates == "asset":
                result = registered
                later.clear()
            else:
                result = Success(action.operation.decode(Reply(200, {}, TARGET)))
            later.append(action)
            action = steps.send(Answer(result, now, 0.0))
    except StopIteration as stop:
        return stop.value, later


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_lost_asset_is_found(loss):
    result, steps = play(Failure(loss), [MISSING, Success(ASSET)])
    assert result == Success(ASSET)
    assert [type(step).__name__ for step in steps] == ["Send", "Sleep", "Send", "Sleep", "Send"]
    assert steps[-1].argument == {"asset_id": "img_0"}
    assert [round(step.seconds, 3) for step in steps[2::2]] == [30, 30]


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_asset_that_does_not_appear_is_unknown(loss):
    result, steps = play(Failure(loss), [MISSING] * 3)
    error = result.failure()
    assert (error.fate, type(error)) == ("unknown", type(loss))
    assert "asset_get('img_0')" in error.hint
    assert len(steps) == 7


def test_search_stays_within_deadline():
    _, steps = play(Failure(LOSSES["500"]), [MISSING] * 3, deadline=0.3)
    assert sum(step.seconds for step in steps if isinstance(step, Sleep)) == pytest.approx(0.3)


@pytest.mark.parametrize("error", [SDKError("no", 400), ConnectionError("refused", "not_sent")])
def test_refused_asset_is_not_searched(error):
    result, steps = play(Failure(error), [])
    assert (result.failure(), len(steps)) == (error, 1)


def test_storage_gets_rest_of_deadline():
    core = ComfyDeployCore(bearer="key-of-the-test", server_url="http://service/api")
    upload = checked_storage_upload(b"x", "a.png", None)
    exchange = StorageUploadExchange(core, "http://storage/x", upload, RequestOptions(deadline=5), 0.0)
    attempt = exchange.prepare(2.0)
    assert {attempt.limits[name] for name in ("connect", "read", "write")} == {3.0}
    assert "authorization" not in attempt.headers
    with pytest.raises(RequestTimeoutError):
        exchange.prepare(6.0)


def test_empty_file_is_asset():
    result, (registration,) = play(Success(ASSET), [], file=b"")
    assert (result, registration.argument["file_size"]) == (Success(ASSET), 0)


def test_hooks_see_ids_of_server():
    ids = []
    play(Success(ASSET), [], ids=ids)
    assert ids == ["get_asset_upload_url_assets_presigned_url_get", "register_asset_assets_register_post"]
