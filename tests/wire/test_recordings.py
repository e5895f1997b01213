"""Recorded responses of the real server have their documented meaning."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.codec import read
from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.run_request import ANY_FORM, wire_form
from comfydeploy.errors import HTTPValidationError, MalformedEvent, SDKError, SDKValidationError
from comfydeploy.models import (
    CreateRunResponse,
    EventUpdateEvent,
    LogUpdateEvent,
    MediaItem,
    UnknownEvent,
    WorkflowRunModel,
    WorkflowRunOutputModel,
    WorkflowRunWebhookBody,
)
from comfydeploy.result import Failure, Success

pytestmark = pytest.mark.usefixtures("each_parser")

TIMES = ("created_at", "updated_at", "queued_at", "started_at", "ended_at")
# Requests that the server accepts and the client refuses before sending.
REFUSED_BY_US = {"queue-extra-field"}


def decoded(chunks):
    decoder = RunStreamDecoder()
    items = [item for chunk in chunks for item in decoder.feed(chunk)]
    return items + decoder.finish(), decoder.run_id


def seen(chunks):
    """Return a result in a form that compares, because errors are equal only to themselves."""
    items, run_id = decoded(chunks)
    return [item.failure().raw if isinstance(item, Failure) else item.unwrap() for item in items], run_id


def body_of(stream):
    return "".join(stream["chunks"]).encode()


def test_recorded_answers_fit_their_models(good_answer):
    value = good_answer.operation.decode(good_answer.reply)
    document = json.loads(good_answer.reply.content)
    match value:
        case WorkflowRunModel():
            assert good_answer.operation.id.startswith("get_run")
            outputs = value.outputs
            assert value.id == document["id"]
            assert value.is_ended == (value.status in ("success", "failed", "timeout", "cancelled"))
            for name in TIMES:
                assert (getattr(value, name) is None) == (document[name] is None)
        case CreateRunResponse():
            assert good_answer.operation.id == "create_run_queue_run_queue_post"
            assert value.run_id == document["run_id"]
            outputs = []
        case list():
            assert good_answer.operation.id == "create_run_sync_run_sync_post"
            assert len(value) == len(document)
            outputs = value
    for output in outputs:
        assert isinstance(output, WorkflowRunOutputModel)
        assert output.created_at.utcoffset().total_seconds() == 0
        files = [item for items in output.raw["data"].values() for item in items if isinstance(item, dict)]
        assert [item.raw for item in output.files] == files
    assert getattr(value, "raw", document) == document


def test_run_of_samples_has_all_its_fields(answer):
    recording = answer("get-success")
    run = recording.operation.decode(recording.reply)
    assert (run.status, run.is_ended, run.progress, run.gpu, run.number) == ("success", True, 1.0, "CPU", 0)
    assert run.workflow_inputs == {"width": 16}
    assert run.started_at.isoformat() == "2026-11-23T18:59:43.284000+00:00"
    caption, picture, _ = run.outputs
    assert (caption.output_id, caption.node_meta) == ("caption", {"node_id": "8"})
    assert [type(item) for item in picture.data["images"]] == [MediaItem]
    assert picture.files[0].filename == "cd_00018_.png"


def test_sync_of_failed_run_has_no_outputs(answer):
    recording = answer("sync-error-run")
    assert recording.operation.decode(recording.reply) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("output-kind-text", ["hello"]), ("output-kind-number-1", [1]), ("output-kind-mixed", None)],
)
def test_other_outputs_are_unchanged(answer, name, text):
    recording = answer(name)
    (output,) = recording.operation.decode(recording.reply)
    assert output.data == output.raw["data"]
    assert output.files == []
    assert text is None or all(type(item) in (str, int, bool) for items in output.data.values() for item in items)


def test_recorded_requests_can_be_sent(good_answer):
    if good_answer.sent is None or good_answer.name in REFUSED_BY_US:
        return
    sent = json.loads(good_answer.sent)
    assert wire_form(sent, ANY_FORM) == sent


@pytest.mark.parametrize("name", sorted(REFUSED_BY_US))
def test_ignored_keys_are_refused(answer, name):
    with pytest.raises(SDKValidationError, match="unknown"):
        wire_form(json.loads(answer(name).sent), ANY_FORM)


def test_recorded_refusals_have_message(refusal, calling):
    result = calling(refusal.operation, refusal.argument).settle(refusal.reply)
    assert isinstance(result, Failure)
    error = result.failure()
    reply = refusal.reply
    assert (error.status_code, error.body, error.fate) == (reply.status_code, reply.content.decode(), "answered")
    assert error.headers == reply.headers
    if reply.status_code == 422:
        assert isinstance(error, HTTPValidationError)
        sent = json.loads(reply.content)["detail"]
        forms = {issue["loc"][1] for issue in sent if str(issue["loc"][1:2]).endswith("Request']")}
        if forms:  # the calls of this test send a deployment
            sent = [issue for issue in sent if issue["loc"][1] == "DeploymentRunRequest"]
            assert len(forms) > 1
        assert [issue.raw for issue in error.detail] == sent
        assert [issue.loc for issue in error.detail] == [issue["loc"] for issue in sent]
        assert sent[0]["msg"] in str(error)
    else:
        assert isinstance(error, SDKError)
        assert error.content_type == reply.content_type
        said = json.loads(reply.content)["detail"] if reply.content_type == "application/json" else error.body or None
        assert error.detail == said
        assert said is None or said in str(error)
        creates = refusal.operation.creates == "run"
        is_missed = reply.status_code == 404 and error.detail == "Deployment not found"
        assert (error.hint is not None) == (creates and (reply.status_code >= 500 or is_missed))
        assert ("redirect" in str(error)) == (reply.status_code == 307)


def test_recorded_streams_in_any_chunks(recorded_stream):
    body = body_of(recorded_stream)
    at_once = seen([body])
    assert seen(chunk.encode() for chunk in recorded_stream["chunks"]) == at_once
    assert seen(body[place : place + 1] for place in range(len(body))) == at_once
    assert len(at_once[0]) >= body.count(b"\n\n")


@given(data=st.data())
def test_recorded_stream_is_read_from_any_chunks(stream, data):
    body = body_of(stream("stream-invalid-graph")) + body_of(stream("stream-slow-progress"))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=40))), len(body)]
    pieces = [body[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    assert seen(pieces) == seen([body])


def test_every_event_of_sound_stream_is_success(recorded_stream):
    if recorded_stream["name"] == "stream-big-event-with-logs":
        return
    items, run_id = decoded([body_of(recorded_stream)])
    values = [item.unwrap() for item in items]
    assert {type(value) for value in values} <= {EventUpdateEvent, LogUpdateEvent}
    named = [value.data.raw["prompt_id"] for value in values if value.data.raw.get("prompt_id")]
    assert [run_id] * len(named) == named
    assert all(value.data.timestamp for value in values if isinstance(value, LogUpdateEvent))


def test_payload_without_kind_keeps_its_content(stream):
    items, run_id = decoded([body_of(stream("stream-slow-progress"))])
    (nameless,) = [item.unwrap().data for item in items if item.unwrap().data.raw.keys() & {"node_errors"}]
    assert nameless.event is None
    assert nameless.data == nameless.raw == {"prompt_id": run_id, "number": 85, "node_errors": {}}


def test_reason_why_graph_is_refused_is_kept(stream):
    items, run_id = decoded([body_of(stream("stream-invalid-graph"))])
    refused = items[-1].unwrap().data
    assert (refused.event, run_id) == (None, None)
    assert refused.data.keys() == {"error", "node_errors"}


def test_corrupted_stream_keeps_other_events(stream):
    items, run_id = decoded([body_of(stream("stream-big-event-with-logs"))])
    broken = [item.failure() for item in items if isinstance(item, Failure)]
    assert all(isinstance(error, MalformedEvent) and "yyy" in error.raw for error in broken)
    assert broken[0].raw.startswith('{"event": "executed", "data"')
    assert "chatty line 798" in broken[0].raw  # the line that the server inserted
    assert broken[-1].raw.endswith(f'yyy"]}}, "prompt_id": "{run_id}"}}}}')
    good = [item.unwrap() for item in items if isinstance(item, Success)]
    assert {"chatty line 797", "chatty line 799"} <= {e.data.logs for e in good if isinstance(e, LogUpdateEvent)}
    assert good[-1].data.data == {"prompt_id": run_id, "status": "success"}


def test_of_corrupted_stream_nothing_is_lost(stream):
    body = body_of(stream("stream-big-event-with-logs"))
    items, _ = decoded([body])
    broken = "".join(item.failure().raw for item in items if isinstance(item, Failure))
    others = "".join(repr(item.unwrap()) for item in items if isinstance(item, Success))
    assert (broken + others).count("y" * 60) >= body.decode().count("y" * 60)


def test_event_glued_to_another_is_read(stream):
    items, _ = decoded([body_of(stream("stream-big-event-with-logs"))])
    assert not [item for item in items if isinstance(item, Success) and isinstance(item.unwrap(), UnknownEvent)]


def test_recorded_webhooks_fit_their_model(delivery):
    document = json.loads(delivery["body"])
    body = read(document, WorkflowRunWebhookBody, "webhook")
    assert (body.event_type, body.run_id, body.status) == ("run.updated", document["run_id"], document["status"])
    assert len(body.outputs) == len(document["outputs"])
    assert [output.raw for output in body.outputs] == document["outputs"]
