"""Runs by their keys, and files among inputs, against the local server over sockets, blocking and async."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comfydeploy import ComfyDeploy, Failure, RequestOptions, errors, unwrap
from comfydeploy.emulator import Emulator
from comfydeploy.inputs import KEY_INPUT, inputs_check, keyed

FOREIGN = "00000000-0000-4000-8000-000000000000"
PICTURE = ("cat.png", b"a picture")


@pytest.fixture
def server():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture
def core(calls, server):
    return calls.core(server.url, bearer=server.bearer)


@pytest.fixture
def order(server):
    return {"deployment_id": server.deployments["picture"], "inputs": {"prompt": "a cat"}}


@pytest.fixture
def deployment(calls, core, order):
    return unwrap(calls("deployment_get", core, order["deployment_id"]))


def operations(server):
    return [request.operation for request in server.requests]


class TestRunQueueOnce:
    def test_key_is_one_run(self, calls, server, core, order):
        first = unwrap(calls("run_queue_once", core, order, "k"))
        again = unwrap(calls("run_queue_once", core, order, "k"))
        other = unwrap(calls("run_queue_once", core, order, "another"))
        assert (first.found, again.found, other.found) == (False, True, False)
        assert first.run_id == again.run_id != other.run_id
        assert [run.id for run in server.runs] == [first.run_id, other.run_id]
        assert server.runs[0].workflow_inputs == {"prompt": "a cat", KEY_INPUT: "k"}

    def test_lost_answer_is_found(self, calls, server, core, order):
        server.fail("run_queue", times=1, reset=True, execute=True)
        found = unwrap(calls("run_queue_once", core, order, "k", RequestOptions(deadline=30)))
        assert [run.id for run in server.runs] == [found.run_id]
        assert found.found

    def test_request_that_was_not_executed_is_unknown(self, calls, server, core, order):
        server.fail("run_queue", times=1, reset=True)
        error = calls("run_queue_once", core, order, "k", settle=0).failure()
        assert (type(error), error.fate) == (errors.ConnectionError, "unknown")
        assert unwrap(calls("run_queue_once", core, order, "k")).found is False
        assert len(server.runs) == 1

    def test_every_form_of_request(self, calls, core, server, deployment):
        graph = {"1": {"class_type": "SaveImage"}}
        forms = [
            {"workflow_version_id": deployment.workflow_version_id},
            {"workflow_id": deployment.workflow_id, "workflow_api_json": graph},
        ]
        for number, form in enumerate(forms):
            form["machine_id"] = deployment.machine_id
            assert not unwrap(calls("run_queue_once", core, form, f"k{number}")).found
            assert unwrap(calls("run_queue_once", core, form, f"k{number}")).found
        assert len(server.runs) == 2

    def test_files_are_uploaded_behind_look(self, calls, server, core, order):
        order["inputs"]["image"] = PICTURE
        for _ in range(2):
            unwrap(calls("run_queue_once", core, order, "k"))
        assert operations(server).count("file_upload") == 1
        assert server.runs[0].workflow_inputs["image"].startswith(server.url.removesuffix("api"))

    def test_retries_of_options_do_not_repeat_request(self, calls, server, core, order):
        server.fail("run_queue", status=500)
        options = RequestOptions(retry_codes=[500])
        error = calls("run_queue_once", core, order, "k", options, settle=0).failure()
        assert (error.status_code, error.fate) == (500, "unknown")
        assert operations(server).count("run_queue") == 1

    def test_unknown_deployment_is_not_sent(self, calls, server, core):
        error = calls("run_queue_once", core, {"deployment_id": FOREIGN}, "k").failure()
        assert (error.status_code, error.fate) == (500, "not_sent")
        assert "most likely unknown" in error.hint
        assert operations(server) == ["deployment_get"]


class TestRunFind:
    def test_runs_of_batch_are_found(self, calls, server, core, order):
        unwrap(calls("run_batch", core, unwrap(keyed({**order, "batch_number": 3}, "k"))))
        found = unwrap(calls("run_find", core, "k", deployment_id=order["deployment_id"]))
        assert [run.id for run in found.runs] == [run.id for run in server.runs]
        assert found.listed

    def test_run_is_found_after_error_of_plain_call(self, calls, server, core, order, deployment):
        server.fail("run_queue", times=1, status=500, execute=True)
        error = calls("run_queue", core, unwrap(keyed(order, "k"))).failure()
        assert "run_find" in error.hint
        assert "comfydeploy.inputs.keyed" in error.hint
        found = unwrap(calls("run_find", core, ["k"], workflow_version_id=deployment.workflow_version_id))
        assert [run.id for run in found.runs] == [server.runs[0].id]

    def test_foreign_workflow_shows_nothing(self, calls, core):
        found = unwrap(calls("run_find", core, "k", workflow_id=FOREIGN))
        assert (found.runs, found.listed) == ([], False)

    def test_since_ends_look(self, calls, core, order):
        unwrap(calls("run_queue_once", core, order, "k"))
        later = datetime.now(UTC) + timedelta(hours=1)
        found = unwrap(calls("run_find", core, "k", deployment_id=order["deployment_id"], since=later))
        assert (found.runs, found.listed) == ([], True)

    def test_unknown_version_is_failure(self, calls, core):
        assert calls("run_find", core, "k", workflow_version_id=FOREIGN).failure().status_code == 404


class TestDeploymentGet:
    def test_returns_inputs(self, deployment, order):
        assert {"prompt", "seed"} <= {one.input_id for one in deployment.input_types}
        assert deployment.workflow_id
        assert inputs_check(deployment, order["inputs"]).unwrap() == order["inputs"]
        assert isinstance(inputs_check(deployment, {"promt": "a cat"}), Failure)

    @pytest.mark.parametrize("deployment_id", [FOREIGN, "picture"])
    def test_names_unknown_one(self, calls, server, core, deployment_id):
        error = calls("deployment_get", core, deployment_id).failure()
        assert error.status_code == 500
        assert "most likely unknown, deleted or not yours" in str(error)


def test_unknown_deployment_is_explained(calls, core):
    error = calls("run_queue", core, {"deployment_id": FOREIGN}).failure()
    assert (error.status_code, error.fate) == (404, "answered")
    assert "A deployment_id is the UUID of a deployment" in error.hint


class TestInputsUpload:
    def test_equal_files_have_one_address(self, calls, server, core, tmp_path):
        path = tmp_path / "b.png"
        path.write_bytes(PICTURE[1])
        found = unwrap(calls("inputs_upload", core, {"a": PICTURE, "b": path, "c": str(path), "d": [path]}))
        assert found == {"a": found["a"], "b": found["a"], "c": str(path), "d": f'["{found["a"]}"]'}
        assert operations(server) == ["file_upload"]

    @pytest.mark.parametrize("name", ["run_queue", "run_sync", "run_stream", "run_batch", "run_first_result"])
    def test_plain_operations_name_it(self, calls, server, core, order, name):
        for file in (Path("a.png"), PICTURE, [PICTURE]):
            request = {**order, "inputs": {"image": file}, "batch_number": 2}
            error = calls(name, core, request).failure()
            assert "upload files with inputs_upload" in str(error)
            assert "$.inputs.image" in str(error)
        assert server.requests == ()

    def test_run_queue_and_wait_uploads(self, calls, server, core, order):
        order["inputs"]["image"] = PICTURE
        run = unwrap(calls("run_queue_and_wait", core, order, RequestOptions(deadline=30)))
        assert operations(server)[:2] == ["file_upload", "run_queue"]
        assert run.workflow_inputs["image"].endswith(".png")

    def test_queue_and_wait_stops_at_failed_upload(self, calls, server, core, order):
        server.fail("file_upload", status=400)
        error = calls("run_queue_and_wait", core, {**order, "inputs": {"image": PICTURE}}).failure()
        assert (error.status_code, error.fate) == (400, "not_sent")
        assert operations(server) == ["file_upload"]


class TestTheRaisingClient:
    @pytest.fixture
    def client(self, server):
        with ComfyDeploy(bearer=server.bearer, server_url=server.url) as made:
            yield made

    def test_returns_values(self, client, order):
        once = client.run.queue_once(order, "k")
        assert [run.id for run in client.run.find("k", deployment_id=order["deployment_id"]).runs] == [once.run_id]
        assert client.deployment.get(order["deployment_id"]).id == order["deployment_id"]
        assert client.inputs.upload({"image": PICTURE})["image"].endswith(".png")

    def test_returns_values_async(self, server, order):
        async def main():
            async with ComfyDeploy(bearer=server.bearer, server_url=server.url) as client:
                once = await client.run.queue_once_async(order, "k")
                found = await client.run.find_async("k", deployment_id=order["deployment_id"])
                assert [run.id for run in found.runs] == [once.run_id]
                assert (await client.deployment.get_async(order["deployment_id"])).id == order["deployment_id"]
                assert (await client.inputs.upload_async({"image": PICTURE}))["image"].endswith(".png")

        asyncio.run(main())

    def test_raises_errors(self, client):
        with pytest.raises(errors.SDKError, match="most likely unknown"):
            client.run.queue_once({"deployment_id": FOREIGN}, "k")
