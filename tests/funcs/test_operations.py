"""Every operation against the local server, blocking, async and through the facade."""

import io
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from comfydeploy import BackoffStrategy, ComfyDeploy, Failure, RetryConfig, Success, errors, unwrap
from comfydeploy.emulator import Emulator
from comfydeploy.models import (
    CreateDeploymentRequest,
    DeploymentRunRequest,
    RunLogLine,
    UpdateDeploymentRequest,
    WorkflowRunRequest,
)

AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0))
CREATED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
NO_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def core(calls, emulator):
    return calls.core(emulator.url, bearer=emulator.bearer)


@pytest.fixture
def picture(emulator):
    return {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 32, "height": 16}}


@pytest.fixture
def graph(calls, core, emulator):
    """A request with the workflow of the picture deployment."""
    row = next(one for one in unwrap(calls("deployments_list", core)) if one.id == emulator.deployments["picture"])
    graph = {"3": {"class_type": "KSampler", "inputs": {}}}
    return WorkflowRunRequest(workflow_id=row.workflow_id, machine_id=row.machine_id, workflow_api_json=graph)


def ended(calls, core, run_id):
    """Follow the log of a run to its end, so that there is no other wait."""
    calls.items(unwrap(calls("run_logs_stream", core, run_id)))
    return unwrap(calls("run_get", core, run_id))


class Strange:  # its result does not matter
    def __getattr__(self, name):
        raise AttributeError if name.startswith("__") else LookupError(name)


class TestTheVariantsOfOneForm:
    def test_of_deployment(self, calls, core, picture):
        created = unwrap(calls("run_deployment_queue", core, picture))
        assert unwrap(calls("run_get", core, created.run_id)).id == created.run_id
        (output,) = unwrap(calls("run_deployment_sync", core, DeploymentRunRequest(**picture)))
        assert output.files[0].filename.endswith(".png")
        stream = unwrap(calls("run_deployment_stream", core, picture))
        assert all(isinstance(item, Success) for item in calls.items(stream))
        assert stream.run_id is not None

    def test_of_workflow(self, calls, core, graph):
        assert unwrap(calls("run_workflow_queue", core, graph)).run_id
        (output,) = unwrap(calls("run_workflow_sync", core, graph))
        assert output.files[0].filename.endswith(".png")
        stream = unwrap(calls("run_workflow_stream", core, graph))
        assert all(isinstance(item, Success) for item in calls.items(stream))

    @pytest.mark.parametrize("name", ["run_workflow_queue", "run_workflow_sync", "run_workflow_stream"])
    def test_refuse_another_form(self, calls, core, picture, name):
        for request in (picture, DeploymentRunRequest(**picture)):
            error = calls(name, core, request).failure()
            assert isinstance(error, errors.SDKValidationError)
            assert error.fate == "not_sent"


class TestCancelling:
    def test_run_that_has_ended_changes_nothing(self, calls, core, picture):
        run_id = unwrap(calls("run_queue", core, picture)).run_id
        assert ended(calls, core, run_id).status == "success"
        assert unwrap(calls("run_cancel", core, run_id)).status == "success"
        assert unwrap(calls("run_get", core, run_id)).status == "success"

    def test_unknown_run_has_the_server_message(self, calls):
        with Emulator(pace=0, quirks="broken-cancel") as quirky:
            error = calls("run_cancel", calls.core(quirky.url, bearer=quirky.bearer), NO_ID).failure()
        assert isinstance(error, errors.SDKError)
        assert error.status_code == 500
        assert "404" in error.detail
        assert "not found" in error.hint
        assert "not found" in str(error)

    def test_any_other_failure_has_no_such_hint(self, calls, raw, answer):
        error = calls("run_cancel", calls.core(raw(answer(500, b"oops", "text/plain")).url), NO_ID).failure()
        assert error.hint is None


class TestABatch:
    def test_gives_id_that_its_runs_share(self, calls, core, graph, picture):
        batch = unwrap(calls("run_batch", core, picture | {"batch_number": 3}))
        pages = calls.pages("runs_list", core, graph.workflow_id, limit=100)
        rows = [row for page in pages for row in unwrap(page)]
        assert len([row for row in rows if row.batch_id == batch.batch_id]) == 3

    def test_accepts_every_combination(self, calls, core, picture):
        request = DeploymentRunRequest(**picture, batch_input_params={"seed": [1, 2], "prompt": ["a", "b"]})
        assert unwrap(calls("run_batch", core, request)).batch_id

    @pytest.mark.parametrize("more", [{}, {"batch_number": 1}, {"batch_number": None}])
    def test_without_batch_is_refused_before_sending(self, calls, core, picture, more):
        error = calls("run_batch", core, picture | more).failure()
        assert isinstance(error, errors.SDKValidationError)
        assert error.fate == "not_sent"


class TestTheFirstResult:
    def test_is_file_in_memory(self, calls, core, picture):
        file = unwrap(calls("run_first_result", core, picture))
        assert (file.content_type, file.size) == ("image/png", len(file.content))
        assert file.content.startswith(b"\x89PNG")
        assert "PNG" not in repr(file)

    def test_is_written_to_path_when_it_is_whole(self, calls, core, picture, tmp_path):
        path = tmp_path / "cat.png"
        file = unwrap(calls("run_first_result", core, picture, to=path))
        assert path.read_bytes().startswith(b"\x89PNG")
        assert (file.content, file.size) == (b"", path.stat().st_size)
        assert list(tmp_path.iterdir()) == [path]

    def test_is_written_to_file_of_yours(self, calls, core, picture):
        sink = io.BytesIO()
        unwrap(calls("run_first_result", core, picture, to=sink))
        assert sink.getvalue().startswith(b"\x89PNG")

    def test_of_failing_run_leaves_no_file(self, calls, core, emulator, tmp_path):
        request = {"deployment_id": emulator.deployments["failing"]}
        error = calls("run_first_result", core, request, to=tmp_path / "cat.png").failure()
        assert isinstance(error, errors.SDKError)
        assert error.status_code == 400
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("to", [5, "", "/", io.StringIO(), "/no/such/folder/cat.png", "a\0b", "\ud800", Strange()])
    def test_unwritable_is_refused_before_sending(self, calls, core, picture, to):
        error = calls("run_first_result", core, picture, to=to).failure()
        assert isinstance(error, errors.SDKValidationError)
        assert error.fate == "not_sent"
        assert error.message.startswith("to:")

    def test_cut_leaves_the_old_file(self, calls, raw, picture, tmp_path):
        path = tmp_path / "cat.png"
        path.write_bytes(b"old")
        server = raw([b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 100\r\n\r\nhalf", "close"])
        error = calls("run_first_result", calls.core(server.url), picture, to=path).failure()
        assert isinstance(error, errors.ConnectionError)
        assert error.fate == "answered"
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_leaves_files_of_other_names_alone(self, calls, core, picture, tmp_path):
        mine = tmp_path / "cat.png.part"
        mine.write_bytes(b"mine")
        unwrap(calls("run_first_result", core, picture, to=tmp_path / "cat.png"))
        assert mine.read_bytes() == b"mine"

    def test_goes_where_link_leads_and_leaves_link(self, calls, core, picture, tmp_path):
        link = tmp_path / "link.png"
        link.symlink_to(tmp_path / "cat.png")
        unwrap(calls("run_first_result", core, picture, to=link))
        assert link.is_symlink()
        assert (tmp_path / "cat.png").read_bytes().startswith(b"\x89PNG")

    def test_goes_into_pipe_and_leaves_pipe(self, calls, core, picture, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(pipe.read_bytes)
            size = unwrap(calls("run_first_result", core, picture, to=pipe)).size
            assert len(read.result(5)) == size
        assert pipe.is_fifo()

    def test_is_written_to_temporary_file(self, calls, core, picture):
        with tempfile.NamedTemporaryFile() as file:
            size = unwrap(calls("run_first_result", core, picture, to=file)).size
            assert file.tell() == size

    def test_partial_writes_are_repeated(self, calls, core, picture):
        taken = bytearray()

        class Narrow(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                taken.extend(data[:100])
                return len(data[:100])

        size = unwrap(calls("run_first_result", core, picture, to=Narrow())).size
        assert len(taken) == size > 100

    @pytest.mark.parametrize("kind", ["read", "text", "closed"])
    def test_target_without_bytes_is_refused_first(self, calls, core, picture, tmp_path, kind):
        with tempfile.NamedTemporaryFile("w") as text, (tmp_path / "cat.png").open("xb") as closed:
            closed.close()
            with (tmp_path / "cat.png").open("rb") as read:
                to = {"read": read, "text": text, "closed": closed}[kind]
                error = calls("run_first_result", core, picture, to=to).failure()
        assert "to: expected a path or a binary file open for writing" in str(error)
        assert error.fate == "not_sent"

    def test_to_place_that_goes_away_is_error(self, calls, picture, tmp_path):
        path = tmp_path / "cat.png"

        def handler(_):
            path.mkdir()  # a file cannot replace a folder
            return httpx.Response(200, headers={"content-type": "image/png"}, content=b"picture")

        core = calls.core(transport=httpx.MockTransport(handler))
        error = calls("run_first_result", core, picture, to=path).failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert error.fate == "answered"

    def test_into_full_memory_passes_through(self, calls, raw, answer, picture):
        class Full(io.BytesIO):
            def write(self, _):
                raise MemoryError

        with pytest.raises(MemoryError):
            calls("run_first_result", calls.core(raw(answer(200, b"x", "image/png")).url), picture, to=Full())


def test_native_run_never_prints_its_token(calls, core, picture):
    native = unwrap(calls("run_native", core, picture))
    assert native.prompt_id
    assert native.cd_token.reveal() not in repr(native) + repr(native.raw) + str(native.cd_token)
    assert native.raw["cd_token"] == native.cd_token
    assert len({native.cd_token, native.raw["cd_token"]}) == 1


@pytest.mark.parametrize(
    ("sent", "hinted"),
    [
        ((500, b"Internal Server Error"), True),
        ((400, b'{"detail": "No output found is matching, please check the workflow"}'), True),
        ((400, b'{"detail": "Batch number is not supported"}'), False),
        ((403, b'{"detail": "no"}'), False),
    ],
)
def test_first_result_without_images_is_hinted(calls, raw, answer, sent, hinted):
    server = raw(answer(*sent))
    error = calls("run_first_result", calls.core(f"{server.url}/api"), {"deployment_id": "d"}).failure()
    assert ("no images" in (error.hint or "")) is hinted


def test_odd_output_does_not_hide_others(calls, raw, answer):
    server = raw(answer(200, b'[{"id": "o", "run_id": "r", "data": {}}, {"run_id": "r"}]'))
    outputs = unwrap(calls("run_sync", calls.core(server.url), {"deployment_id": "d"}))
    assert [output.id for output in outputs] == ["o"]
    assert outputs.raw[1] == {"run_id": "r"}


class TestLogs:
    def test_of_failed_run_have_its_reason(self, calls, core, emulator):
        request = {"deployment_id": emulator.deployments["picture"], "inputs": {"fail": "out of cats"}}
        run_id = unwrap(calls("run_queue", core, request)).run_id
        assert ended(calls, core, run_id).status == "failed"
        lines = unwrap(calls("run_logs", core, run_id))
        assert any("out of cats" in line.log for line in lines)
        assert all(line.timestamp.tzinfo for line in lines)

    def test_are_followed_until_complete(self, calls, core, picture):
        run_id = unwrap(calls("run_queue", core, picture)).run_id
        items = calls.items(unwrap(calls("run_logs_stream", core, run_id)))
        assert items
        assert all(isinstance(unwrap(item), RunLogLine) for item in items)

    def test_end_with_their_last_line(self, calls, raw):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        body = (
            b'data: {"message": "a", "level": "info", "timestamp": "2026-11-23T18:59:48.821Z"}\n\n'
            b'data: {"type": "keepalive"}\n\ndata: {"message": "b", "level": 5}\n\ndata: broken\n\n'
            b'data: {"error": "gone"}\n\ndata: {"type": "stream_complete"}\n\n'
        )
        server = raw([head + body, "hang"])
        items = calls.items(unwrap(calls("run_logs_stream", calls.core(server.url), NO_ID)))
        assert [item.unwrap().message for item in items if isinstance(item, Success)] == ["a", "b"]
        assert [item.failure().raw for item in items if isinstance(item, Failure)] == ["broken", '{"error": "gone"}']
        assert calls.wait(server.left)

    def test_errors_name_run(self, calls, raw):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99\r\n\r\n"
        stream = unwrap(calls("run_logs_stream", calls.core(raw([head, "close"]).url), NO_ID))
        assert stream.run_id == NO_ID
        (item,) = calls.items(stream)
        assert item.failure().run_id == NO_ID

    def test_that_end_without_word_are_at_end(self, calls, raw):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        server = raw([head + b'data: {"message": "a"}', "close"])
        (item,) = calls.items(unwrap(calls("run_logs_stream", calls.core(server.url), NO_ID)))
        assert item.unwrap().message == "a"


def test_deployments_have_inputs_and_outputs(calls, core, emulator):
    rows = unwrap(calls("deployments_list", core, "production", is_fluid=True))
    picture = next(row for row in rows if row.id == emulator.deployments["picture"])
    assert {"prompt", "seed", "width", "height"} <= {one.input_id for one in picture.input_types}
    assert [one.output_id for one in picture.output_types] == ["result"]
    assert picture.created_at.tzinfo
    assert isinstance(calls("deployments_list", core, "nowhere").failure(), errors.HTTPValidationError)


class TestASession:
    def test_is_opened_read_listed_and_closed(self, calls, core, graph):
        machine_id = graph.machine_id
        made = unwrap(calls("session_create", core, {"machine_id": machine_id, "timeout": 5}))
        session = unwrap(calls("session_get", core, made.session_id))
        assert session.created_at is None or session.created_at.tzinfo
        assert made.session_id in [one.session_id for one in unwrap(calls("session_list", core, machine_id))]
        assert isinstance(calls("session_cancel", core, made.session_id), Success)
        assert isinstance(calls("session_get", core, NO_ID).failure(), errors.SDKError)

    def test_is_never_repeated_by_accident(self, calls, raw, answer):
        server = raw(answer(500, b"oops", "text/plain"))
        error = calls("session_create", calls.core(server.url), {"machine_id": "m"}).failure()
        assert "may have been opened" in error.hint
        assert len(server.requests) == 1

    def test_that_may_be_closed_all_same_says_so(self, calls, raw, answer):
        error = calls("session_cancel", calls.core(raw(answer(400, b'{"detail":"no"}')).url), "s").failure()
        assert "may have been closed" in error.hint
        error = calls("session_cancel", calls.core(raw(answer(404, b'{"detail":"no"}')).url), "s").failure()
        assert error.hint is None

    @pytest.mark.parametrize(
        "request_", [{}, {"machine_id": "m", "minutes": 5}, {"machine_id": "m", "timeout": "5"}, None]
    )
    def test_request_that_is_wrong_is_named(self, calls, request_):
        assert isinstance(calls("session_create", calls.core(), request_).failure(), errors.SDKValidationError)

    def test_is_prolonged(self, calls, core, graph):
        made = unwrap(calls("session_create", core, {"machine_id": graph.machine_id, "timeout": 5}))
        before = unwrap(calls("session_get", core, made.session_id)).timeout_end
        assert unwrap(calls("session_increase_timeout", core, made.session_id, 10)).message
        after = unwrap(calls("session_get", core, made.session_id)).timeout_end
        assert (after - before).total_seconds() == 600

    @pytest.mark.parametrize("minutes", [0, -5, 1.5, "5", None, True])
    def test_is_prolonged_by_whole_minutes(self, calls, minutes):
        error = calls("session_increase_timeout", calls.core(), "s", minutes).failure()
        assert error.message.startswith("minutes: expected an integer not below 1")


class TestADeployment:
    def order(self, calls, core, emulator, environment="staging"):
        picture = unwrap(calls("deployment_get", core, emulator.deployments["picture"]))
        names = ("workflow_id", "workflow_version_id", "machine_id")
        return {**{name: getattr(picture, name) for name in names}, "environment": environment}

    def test_is_created_once_for_an_environment(self, calls, core, emulator):
        order = self.order(calls, core, emulator)
        made = unwrap(calls("deployment_create", core, CreateDeploymentRequest(**order)))
        assert (made.environment, made.input_types) == ("staging", [])
        assert unwrap(calls("deployment_create", core, order)).id == made.id
        assert "seed" in {one.input_id for one in unwrap(calls("deployment_get", core, made.id)).input_types}

    def test_is_changed(self, calls, core, emulator):
        made = unwrap(calls("deployment_create", core, self.order(calls, core, emulator, "preview")))
        changed = unwrap(calls("deployment_update", core, made.id, UpdateDeploymentRequest(gpu="T4", keep_warm=1)))
        assert (changed.id, changed.gpu, changed.keep_warm, changed.run_timeout) == (made.id, "T4", 1, 300)
        assert unwrap(calls("deployment_update", core, made.id, {"gpu": "L4"})).keep_warm == 1

    def test_that_is_shared_is_read_by_its_slug(self, calls, core, emulator):
        made = unwrap(calls("deployment_create", core, self.order(calls, core, emulator, "public-share")))
        found = unwrap(calls("share_get", core, *made.share_slug.split("_", 1)))
        assert (found.id, found.machine_id) == (made.id, None)
        assert made.share_slug in [one.share_slug for one in unwrap(calls("deployments_featured", core))]
        assert calls("share_get", core, "user", "other").failure().status_code == 404

    def test_lists_its_runs(self, calls, core, emulator):
        made = unwrap(calls("deployment_create", core, self.order(calls, core, emulator, "private-share")))
        run_id = unwrap(calls("run_queue", core, {"deployment_id": made.id})).run_id
        (page,) = calls.pages("deployment_runs", core, made.id)
        row = unwrap(page)[0]
        assert (row.id, row.deployment_id, row.created_at.tzinfo) == (run_id, made.id, UTC)

    def test_that_is_unknown_is_permanent(self, calls, emulator):
        core = calls.core(emulator.url, bearer=emulator.bearer, retry_config=AT_ONCE)
        before = len(emulator.requests)
        for error in (
            calls("deployment_update", core, NO_ID, {}).failure(),
            calls.pages("deployment_runs", core, NO_ID)[0].failure(),
        ):
            assert (error.status_code, "unknown" in error.hint) == (500, True)
        assert len(emulator.requests) == before + 2

    def test_of_unknown_machine_was_not_made(self, calls, core, emulator):
        order = {**self.order(calls, core, emulator), "machine_id": NO_ID}
        error = calls("deployment_create", core, order).failure()
        assert (error.status_code, "Nothing was changed" in error.hint) == (500, True)
        order = {**self.order(calls, core, emulator), "workflow_version_id": NO_ID}
        assert "may have been created" in calls("deployment_create", core, order).failure().hint

    @pytest.mark.parametrize("request_", [{}, {"workflow_id": "w", "new": 5}, None])
    def test_request_that_is_wrong_is_named(self, calls, request_):
        assert calls("deployment_create", calls.core(), request_).failure().fate == "not_sent"
        assert calls("deployment_update", calls.core(), "d", {"gpu": 5}).failure().fate == "not_sent"


CREATIONS = {
    "deployment_create": (
        {"workflow_id": "w", "workflow_version_id": "v", "machine_id": "m", "environment": "staging"},
    ),
    "assets_folder": ("pictures",),
    "session_increase_timeout": ("s", 5),
}


class TestACreation:
    @pytest.mark.parametrize("name", CREATIONS)
    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_is_not_repeated_after_error(self, calls, raw, answer, name, status):
        server = raw(answer(status, b"oops", "text/plain"))
        error = calls(name, calls.core(server.url, retry_config=AT_ONCE), *CREATIONS[name]).failure()
        assert (error.status_code, len(server.requests)) == (status, 1)

    @pytest.mark.parametrize("name", CREATIONS)
    def test_whose_answer_is_lost_is_unknown(self, calls, raw, name):
        server = raw(["reset"])
        error = calls(name, calls.core(server.url, retry_config=AT_ONCE), *CREATIONS[name]).failure()
        assert (error.fate, len(server.requests)) == ("unknown", 1)
        assert "may have been" in error.hint or "may exist" in error.hint

    @pytest.mark.parametrize("name", CREATIONS)
    def test_that_was_refused_is_repeated(self, calls, raw, answer, name):
        good = b'{"id": "i", "message": "done"}'
        server = raw(answer(503), answer(200, good))
        unwrap(calls(name, calls.core(server.url, retry_config=AT_ONCE), *CREATIONS[name]))
        assert len(server.requests) == 2


class TestAWorkflow:
    def test_is_read_with_its_version(self, calls, core, graph):
        workflow = unwrap(calls("workflow_get", core, graph.workflow_id))
        (version,) = workflow.versions
        assert (workflow.name, workflow.created_at, version.workflow_id) == ("picture", CREATED, workflow.id)
        alone = unwrap(calls("workflow_version_get", core, version.id))
        assert (alone.workflow_api, alone.version) == (version.workflow_api, 1)

    def test_without_versions_is_read(self, calls, core, raw, answer):
        body = b'{"id": "w", "created_at": "2026-01-02 03:04:05.678000+00:00", "versions": [null]}'
        workflow = unwrap(calls("workflow_get", calls.core(raw(answer(200, body)).url), "w"))
        assert (workflow.versions, workflow.created_at) == ([], CREATED)

    @pytest.mark.parametrize("name", ["workflow_get", "workflow_version_get", "machine_get", "asset_get"])
    def test_that_is_unknown_is_404(self, calls, core, name):
        assert calls(name, core, NO_ID).failure().status_code == 404

    @pytest.mark.parametrize("return_run", [False, True])
    def test_is_followed(self, calls, emulator_at_rest, return_run):
        core = calls.core(emulator_at_rest.url, bearer=emulator_at_rest.bearer)
        deployment_id = emulator_at_rest.deployments["picture"]
        workflow_id = unwrap(calls("deployment_get", core, deployment_id)).workflow_id
        stream = unwrap(calls("progress_stream", core, workflow_id, return_run=return_run))
        request = {"deployment_id": deployment_id, "inputs": {"width": 16, "height": 16}}
        run_id = unwrap(calls("run_queue", core, request)).run_id
        emulator_at_rest.advance(60)
        changes = [unwrap(item) for item in calls.items(stream, 4)]
        assert [(change.run_id, change.workflow_id) for change in changes] == [(run_id, workflow_id)] * 4
        assert [change.status for change in changes] == ["not-started", "queued", "started", "running"]
        run = changes[0].run
        assert (run and run.workflow_inputs) == (request["inputs"] if return_run else None)

    def test_that_is_unknown_is_not_followed(self, calls, core):
        assert calls("progress_stream", core, NO_ID).failure().status_code == 404
        assert calls("progress_stream", core, "").failure().fate == "not_sent"


class TestTheAccount:
    def test_has_machines(self, calls, core, graph):
        pages = calls.pages("machines_list", core, search="pic", limit=1)
        (machine,) = [row for page in pages for row in unwrap(page)]
        assert (machine.id, machine.name) == (graph.machine_id, "picture")
        assert unwrap(calls("machine_get", core, machine.id)).run_timeout == 300

    def test_has_models(self, calls, core):
        (model,) = unwrap(calls("models_list", core))
        assert (model.id, model.inputs[0].input_id) == ("local-picture", "prompt")

    def test_finds_models_of_others(self, calls, core):
        (found,) = unwrap(calls("models_search", core, "picture", provider="comfyui"))
        assert (found.provider, found.filename) == ("comfyui", "Local picture.safetensors")
        assert calls("models_search", core, "").failure().message.startswith("query: expected a non-empty string")

    def test_has_usage(self, calls, core, picture):
        ended(calls, core, unwrap(calls("run_queue", core, picture)).run_id)
        used = unwrap(calls("usage", core, start_time=CREATED, end_time=datetime.now(UTC) + timedelta(hours=1)))
        assert (used.period.start, used.free_tier_credit) == (CREATED, 500)
        assert used.usage[0].usage_in_sec >= 0
        error = calls("usage", core, start_time=datetime(2026, 1, 1)).failure()  # noqa: DTZ001 - what it is about
        assert error.message.startswith("start_time: expected an aware datetime")

    def test_has_assets_in_folders(self, calls, core):
        folder = unwrap(calls("assets_folder", core, f"of {calls.awaited}"))
        inner = unwrap(calls("assets_folder", core, "inner", parent_path=folder.path))
        assert [one.id for one in unwrap(calls("assets_list", core, f"/{folder.path}/"))] == [inner.id]
        assert folder.id in [one.id for one in unwrap(calls("assets_list", core))]
        assert calls("assets_folder", core, folder.name).failure().status_code == 400
        assert unwrap(calls("asset_delete", core, folder.id)).message
        error = calls("asset_delete", core, inner.id).failure()
        assert (error.status_code, "deleted before" in error.hint) == (404, True)


class TestUploading:
    PNG = b"\x89PNG\r\n\x1a\n" + bytes(200_000)

    @pytest.fixture(params=["path", "text", "bytes", "file"])
    def source(self, request, tmp_path):
        path = tmp_path / "cat.png"
        path.write_bytes(b"...." + self.PNG if request.param == "file" else self.PNG)
        if request.param == "file":
            with path.open("rb") as file:
                file.seek(4)  # bytes before its position are not sent
                yield file, {}
        else:
            given = {"path": path, "text": str(path), "bytes": self.PNG}[request.param]
            yield given, {"name": "cat.png"} if request.param == "bytes" else {}

    def test_gives_address_of_same_bytes(self, calls, core, source):
        file, named = source
        reports = []
        uploaded = unwrap(calls("file_upload", core, file, progress=lambda *how_far: reports.append(how_far), **named))
        assert uploaded.file_name == "cat.png"
        assert httpx.get(uploaded.file_url).content == self.PNG
        assert reports[-1] == (len(self.PNG), len(self.PNG))
        assert len(reports) > 1
        assert reports == sorted(reports)

    def test_restarts_at_a_retry(self, calls, raw, answer, source):
        file, named = source
        server = raw(answer(503), answer(200, b'{"file_url": "http://x/cat.png"}'))
        core = calls.core(server.url, retry_config=RetryConfig("backoff", BackoffStrategy(0.0, 0.0)))
        assert unwrap(calls("file_upload", core, file, **named)).file_url == "http://x/cat.png"
        assert all(self.PNG in body for _, _, body in server.requests)
        assert all(
            'filename="cat.png"' in str(body[:300]) and b"image/png" in body[:300] for _, _, body in server.requests
        )
        assert len(server.requests) == 2

    @pytest.mark.parametrize(
        ("file", "named", "said"),
        [
            (b"x", {}, "name: required"),
            (b"x", {"name": ""}, "name: expected a file name"),
            (b"x", {"name": 5}, "name: expected a file name"),
            (b"x", {"name": "\ud800.png"}, "name: cannot be encoded as UTF-8"),
            (b"x", {"name": "cat.png", "progress": 5}, "progress: expected a function"),
            (b"x", {"name": "notes.txt"}, "name: expected an image"),
            (b"x", {"name": "cat.GLB"}, "name: expected an image"),
            (b"x", {"name": "page.html"}, "name: expected an image"),
            ("/no/such/cat.png", {}, "file: cannot be read"),
            ("/", {"name": "cat.png"}, "file: expected a file"),
            (io.StringIO("x"), {"name": "cat.png"}, "file: expected a file opened in binary mode"),
            (5, {"name": "cat.png"}, "file: expected a path, bytes or a binary file"),
            (None, {"name": "cat.png"}, "file: expected a path, bytes or a binary file"),
        ],
    )
    def test_refused_types_are_not_sent(self, calls, file, named, said):
        error = calls("file_upload", calls.core(), file, **named).failure()
        assert isinstance(error, errors.SDKValidationError)
        assert error.message.startswith(said)

    def test_too_large_file_is_not_sent(self, calls, tmp_path):
        path = tmp_path / "big.png"
        with path.open("wb") as file:
            file.truncate(250 * 1024 * 1024 + 1)
        error = calls("file_upload", calls.core(), path).failure()
        assert isinstance(error, errors.SDKValidationError)
        assert "262,144,000" in error.message

    def test_of_growing_file_sends_the_first_size(self, calls, raw, answer, tmp_path):
        path = tmp_path / "cat.png"
        path.write_bytes(self.PNG)

        def grow(*_):
            with path.open("ab") as file:
                file.write(b"more")

        server = raw(answer(200, b'{"file_url": "u"}'))
        unwrap(calls("file_upload", calls.core(server.url), path, progress=grow))
        body = server.requests[0][2]
        assert self.PNG in body
        assert b"more" not in body

    def test_of_file_that_shrinks_meanwhile_says_so(self, calls, raw, answer, tmp_path):
        path = tmp_path / "cat.png"
        path.write_bytes(bytes(2_000_000))  # more than one read
        server = raw(answer(200, b'{"file_url": "u"}'))
        shrink = lambda *_: os.truncate(path, 10)  # noqa: E731 - short
        error = calls("file_upload", calls.core(server.url), path, progress=shrink).failure()
        assert "'cat.png' became shorter while it was sent" in str(error)
        assert error.fate == "unknown"

    def test_file_that_cannot_seek_is_refused(self, calls):
        class Pipe(io.RawIOBase):
            def readable(self):
                return True

        assert "cannot be read" in calls("file_upload", calls.core(), Pipe(), name="cat.png").failure().message

    # Before 1.6 starlette leaves the file of an upload that ends early to the garbage collector.
    @pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
    def test_callback_that_raises_makes_it_failure(self, calls, core):
        def fail(*_):
            raise LookupError("no bar")

        error = calls("file_upload", core, self.PNG, name="cat.png", progress=fail).failure()
        assert isinstance(error, errors.UnexpectedClientError)
        assert isinstance(error.__cause__, LookupError)


class TestTheRunsOfAWorkflow:
    def test_come_page_by_page(self, calls, core, graph, picture):
        for _ in range(3):
            unwrap(calls("run_queue", core, picture))
        pages = calls.pages("runs_list", core, graph.workflow_id, limit=2)
        sizes = [len(unwrap(page)) for page in pages]
        assert sizes[0] == 2
        assert sum(sizes) >= 3
        later = calls.pages("runs_list", core, graph.workflow_id, limit=2, offset=2)
        assert unwrap(later[0])[0].id == unwrap(pages[1])[0].id

    def test_end_with_failure_where_there_is_one(self, calls, raw, answer):
        row = b'{"id": "r", "status": "success"}'
        server = raw(answer(200, b"[%s,%s]" % (row, row)), answer(500))
        first, last = calls.pages("runs_list", calls.core(server.url), "w", limit=2)
        assert [row.status for row in unwrap(first)] == ["success", "success"]
        assert isinstance(last, Failure)

    def test_full_last_page_ends_the_list(self, calls, raw, answer):
        server = raw(answer(200, b'[{"id": "r", "status": "success"}]'), answer(200, b"[]"))
        assert len(calls.pages("runs_list", calls.core(server.url), "w", limit=1)) == 1

    def test_with_odd_row_go_on(self, calls, raw, answer):
        rows = b'[{"id": "r", "status": "success"}, {"id": null}]'
        server = raw(answer(200, rows), answer(200, b'[{"id": "s", "status": "failed"}]'))
        first, last = calls.pages("runs_list", calls.core(server.url), "w", limit=2)
        assert [row.id for row in unwrap(first)] == ["r"]
        assert unwrap(first).raw[1] == {"id": None}
        assert [row.id for row in unwrap(last)] == ["s"]

    @pytest.mark.parametrize("limit", [0, -1, "5", 2.5, None, True])
    def test_page_size_is_required(self, calls, raw, answer, limit):
        server = raw(answer(200, b"[]"))
        (page,) = calls.pages("runs_list", calls.core(server.url), "w", limit=limit)
        assert "limit: expected an integer not below 1" in str(page.failure())
        assert not server.requests

    @pytest.mark.parametrize("offset", [-1, None, "5"])
    def test_do_not_begin_before_first(self, calls, raw, answer, offset):
        server = raw(answer(200, b"[]"))
        (page,) = calls.pages("runs_list", calls.core(server.url), "w", offset=offset)
        assert "offset: expected an integer not below 0" in str(page.failure())
        assert not server.requests

    def test_repeated_page_ends_the_list(self, calls, raw, answer):
        server = raw(answer(200, b'[{"id": "r", "status": "success"}]'))
        first, last = calls.pages("runs_list", calls.core(server.url), "w", limit=1)
        assert unwrap(first)[0].id == "r"
        assert isinstance(last.failure(), errors.SDKValidationError)
        assert last.failure().fate == "answered"
        assert len(server.requests) == 2


def test_facade_has_all_of_it(calls, emulator, picture, graph, tmp_path):
    client = ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url)
    calls._cores.append(client)

    def call(group, name, /, *arguments, **named):
        method = getattr(group, f"{name}_async" if calls.awaited else name)
        return calls.run(method(*arguments, **named)) if calls.awaited else method(*arguments, **named)

    run_id = call(client.run.deployment, "queue", picture).run_id
    assert calls.items(call(client.run, "logs_stream", run_id))
    assert call(client.run, "cancel", run_id).status == "success"
    assert call(client.run, "logs", run_id) is not None
    assert call(client.run.deployment, "sync", picture)
    assert calls.items(call(client.run.deployment, "stream", picture))
    assert call(client.run.workflow, "queue", graph).run_id
    assert call(client.run.workflow, "sync", graph)
    assert calls.items(call(client.run.workflow, "stream", graph))
    assert call(client.run, "batch", picture | {"batch_number": 2}).batch_id
    assert call(client.run, "native", picture).prompt_id
    assert call(client.run, "first_result", picture, to=tmp_path / "cat.png").size
    assert call(client.deployments, "list")
    address = call(client.file, "upload", b"x", name="cat.png").file_url
    assert call(client.file, "download", address).content == b"x"
    assert all(path.exists() for path in call(client.run, "download", run_id, to=tmp_path))
    session_id = call(client.session, "create", {"machine_id": graph.machine_id}).session_id
    assert call(client.session, "get", session_id).session_id == session_id
    assert call(client.session, "list")
    call(client.session, "cancel", session_id)
    pages = client.runs.list_async(graph.workflow_id) if calls.awaited else client.runs.list(graph.workflow_id)
    assert calls.items(pages)[0][0].id


def test_facade_has_the_rest_of_the_service(calls, emulator, picture, graph):
    client = ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url)
    calls._cores.append(client)

    def call(group, name, /, *arguments, **named):
        method = getattr(group, f"{name}_async" if calls.awaited else name)
        return calls.run(method(*arguments, **named)) if calls.awaited else method(*arguments, **named)

    session_id = call(client.session, "create", {"machine_id": graph.machine_id}).session_id
    assert call(client.session, "increase_timeout", session_id, 5).message
    call(client.run, "queue", picture)
    lists = {
        client.runs: ("list", graph.workflow_id),
        client.workflow: ("runs", graph.workflow_id),
        client.deployment: ("runs", picture["deployment_id"]),
        client.machines: ("list",),
    }
    for group, (name, *arguments) in lists.items():
        pages = getattr(group, f"{name}_async" if calls.awaited else name)(*arguments)
        assert calls.items(pages.rows(), 1)[0].id
    deployment = call(client.deployment, "get", picture["deployment_id"])
    names = ("workflow_id", "workflow_version_id", "machine_id")
    order = {**{name: getattr(deployment, name) for name in names}, "environment": "community-share"}
    made = call(client.deployment, "create", order)
    assert call(client.deployment, "update", made.id, {"gpu": "T4"}).gpu == "T4"
    assert call(client.workflow, "get", graph.workflow_id).versions[0].id == deployment.workflow_version_id
    assert call(client.workflow, "version_get", deployment.workflow_version_id).workflow_id == graph.workflow_id
    assert call(client.machine, "get", graph.machine_id).name == "picture"
    assert call(client.models, "list")
    assert call(client.models, "search", "picture")
    shared = call(client.deployment, "create", order | {"environment": "public-share"})
    assert call(client.share, "get", *shared.share_slug.split("_", 1)).id == shared.id
    assert call(client.deployments, "featured")
    assert call(client, "usage").period
    folder = call(client.assets, "folder", f"facade {calls.awaited}")
    asset = call(client.asset, "upload", b"x", name="cat.png", parent_path=folder.path)
    assert [one.id for one in call(client.assets, "list", folder.path)] == [asset.id]
    assert call(client.asset, "get", asset.id).name == "cat.png"
    assert call(client.asset, "delete", folder.id).message
    changes = call(client.progress, "stream", graph.workflow_id)
    call(client.run, "queue", picture)
    assert calls.items(changes, 1)[0].workflow_id == graph.workflow_id
