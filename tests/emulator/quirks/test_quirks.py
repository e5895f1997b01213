"""Every quirk shows its misbehaviour of the real server, and no other."""

import itertools
import json
import time
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from comfydeploy.emulator import Emulator, Fails, NodeOutput, Quirk, Succeeds

GRAPH = {"1": {"class_type": "NoSuchNode", "inputs": {}}}
BROKEN = (500, "text/plain; charset=utf-8", "Internal Server Error")


def answer_of(response):
    return response.status_code, response.headers["content-type"], response.text


@pytest.mark.parametrize("name", [*Quirk, "all"])
def test_quirk_is_chosen_by_its_name(name):
    assert Emulator(quirks=name).quirks == Emulator(quirks=[name]).quirks
    assert Emulator(quirks=name).quirks == (set(Quirk) if name == "all" else {name})


def test_no_quirks_by_default():
    assert Emulator().quirks == set()


@pytest.mark.parametrize("names", ["slow-server", ["late-webhooks", "slow-server"], {"slow-server"}, [7]])
def test_unknown_quirk_is_refused(names):
    with pytest.raises(ValueError, match=r"quirks: unknown ('slow-server'|7); known are broken-answers, .*, all$"):
        Emulator(quirks=names)


@pytest.mark.parametrize("quirk", Quirk)
def test_every_quirk_is_explained(quirk):
    assert quirk.explanation.endswith(".")
    assert not quirk.trigger or quirk.trigger.endswith(".")


@pytest.mark.parametrize(
    ("path", "fields", "started"),
    [
        ("/run/queue", {"batch_number": 3}, 3),
        ("/run/queue", {"batch_input_params": {}}, 1),
        ("/run/queue", {"is_native_run": True}, 1),
        ("/run/queue", {"execution_mode": "sync"}, 1),
        ("/run/deployment/queue", {"batch_number": 2}, 2),
        ("/run/sync", {"batch_number": 2}, 2),
        ("/run/sync", {"is_native_run": True}, 1),
        ("/run/stream", {"batch_number": 2}, 0),
        ("/run", {"execution_mode": "sync"}, 1),
    ],
)
def test_unserializable_answer_breaks_after_start(odd, path, fields, started):
    client = odd(Quirk.BROKEN_ANSWERS)
    assert answer_of(client.post(path, json=client.order(**fields))) == BROKEN
    assert len(client.emulator.runs) == started


def test_sync_mode_breaks_after_end(odd):
    client = odd(Quirk.BROKEN_ANSWERS)
    for name, path in (("picture", "/run/queue"), ("picture", "/run"), ("failing", "/run")):
        assert answer_of(client.post(path, json=client.order(name, execution_mode="sync"))) == BROKEN
    assert [run.status for run in client.emulator.runs] == ["success", "success", "failed"]


@pytest.mark.parametrize("fields", [{}, {"batch_number": 1}, {"execution_mode": "async"}])
def test_serializable_answers_are_sent(odd, fields):
    client = odd(Quirk.BROKEN_ANSWERS)
    assert client.post("/run/queue", json=client.order(**fields)).status_code == 200
    assert client.post("/run/sync", json=client.order(**fields)).status_code == 200
    assert client.post("/run", json=client.order(batch_number=2)).status_code == 200


def test_stream_mode_on_queue_is_stream(odd):
    client = odd(Quirk.STREAMING_QUEUE)
    answer = client.post("/run/queue", json=client.order(execution_mode="stream"))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert '"execution_success"' in answer.text
    assert client.post("/run/queue", json=client.order()).json().keys() == {"run_id"}


def test_sync_of_run_that_fails_is_empty_list(odd):
    client = odd(Quirk.EMPTY_SYNC)
    answer = client.post("/run/sync", json=client.order("failing"))
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("run_id", [str(uuid4()), "nope"])
def test_run_that_there_is_not_is_500_to_cancel(odd, run_id):
    answer = odd(Quirk.BROKEN_CANCEL).post(f"/run/{run_id}/cancel")
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Error cancel function")


@pytest.mark.parametrize(
    ("path", "fields"), [("/run/stream", {}), ("/run", {"is_native_run": True}), ("/run", {"batch_number": 2})]
)
def test_cancel_without_function_call_is_500(odd, path, fields):
    client = odd(Quirk.BROKEN_CANCEL)
    client.post(path, json=client.order(**fields))
    run_id = client.emulator.runs[0].id
    assert client.post(f"/run/{run_id}/cancel").status_code == 500
    queued = client.post("/run/queue", json=client.order("slow")).json()["run_id"]
    assert client.post(f"/run/{queued}/cancel").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"origin": "moon"}, 500),
        ({"inputs": {"prompt": "a\0b"}}, 500),
        ({"inputs": {"a": [["\0"]]}}, 500),
        ({"origin": "public-share", "inputs": {"prompt": "\\u0000"}}, 200),
        ({"origin": None}, 200),
    ],
)
def test_unstorable_request_runs_nothing(odd, fields, status):
    client = odd(Quirk.BROKEN_STORING)
    assert client.post("/run/queue", json=client.order(**fields)).status_code == status
    assert len(client.emulator.runs) == (status == 200)
    assert odd().post("/run/queue", json=client.order(**fields)).status_code == 200


def test_closing_session_is_400(odd):
    client = odd(Quirk.BROKEN_CLOSING)
    machine_id = client.get("/deployments").json()[0]["machine_id"]
    session_id = client.post("/session", json={"machine_id": machine_id}).json()["session_id"]
    assert client.delete(f"/session/{session_id}").status_code == 400
    assert client.get(f"/session/{session_id}").status_code == 404


def test_log_update_corrupts_large_event(odd):
    broken = odd(Quirk.CORRUPTED_EVENTS)
    text = broken.post("/run/stream", json=broken.order("slow")).text
    found = [place for place in range(len(text)) if text.startswith("event: log_update", place)]
    inside = [place for place in found if text[place - 1] != "\n"]
    assert inside
    for place in inside:
        line, _, rest = text[place:].partition("\n\n")
        before = text[text.rindex("event: event_update", 0, place) : place]
        whole = before + rest.partition("\n\n")[0]
        assert len(whole) > 998
        assert json.loads(whole.partition("\ndata: ")[2])["event"] == "progress_state"
        assert json.loads(line.partition("\ndata: ")[2]).keys() == {"logs", "timestamp"}


def test_corruption_loses_nothing(odd):
    client = odd(Quirk.CORRUPTED_EVENTS, seed=1, clock="manual")
    sane = odd(seed=1, clock="manual")
    texts = []
    for one in (client, sane):
        with one.stream("POST", "/run/stream", json=one.order("slow")) as answer:
            one.emulator.advance(60)
            texts.append(answer.read().decode().replace(str(one.base_url.port), "port"))
    assert texts[0] != texts[1]
    assert sorted(texts[0]) == sorted(texts[1])


def test_stream_of_invalid_graph_never_ends(odd):
    client = odd(Quirk.ENDLESS_STREAM)
    row = client.get("/deployments").json()[0]
    body = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"], "workflow_api_json": GRAPH}
    with client.stream("POST", "/run/workflow/stream", json=body) as answer:
        lines = itertools.takewhile(lambda line: "NoSuchNode" not in line, answer.iter_lines())
        assert '"comfyui_ready"' in "".join(lines)
        (run,) = client.emulator.runs
        assert (run.status, client.emulator.open_streams) == ("failed", 1)
        client.emulator.stop()
    assert client.emulator.open_streams == 0


def test_stream_of_invalid_graph_without_quirk(odd):
    client = odd()
    row = client.get("/deployments").json()[0]
    for graph in (GRAPH, {"1": {}}, {"1": None}, {"1": {"class_type": 7}}):
        body = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"], "workflow_api_json": graph}
        text = client.post("/run/workflow/stream", json=body).text
        assert '"invalid_prompt"' in text
        assert text.endswith('"status": "failed"}}\n\n')
        assert client.post("/run/workflow/sync", json=body).status_code == 400


@pytest.mark.parametrize(("quirks", "status"), [([], "not-started"), ([Quirk.ABANDONED_RUN], "cancelled")])
def test_run_whose_stream_is_left_is_cancelled(odd, quirks, status):
    client = odd(*quirks, clock="manual", pace=1)
    with client.stream("POST", "/run/stream", json=client.order()) as answer:
        next(answer.iter_lines())
    deadline = time.monotonic() + 5
    while client.emulator.open_streams:
        assert time.monotonic() < deadline
    assert [run.status for run in client.emulator.runs] == [status]


@pytest.mark.parametrize("fault", [{"reset_after": 20}, {"truncate_after": 20}, {"status": 503, "execute": True}])
def test_run_with_broken_stream_is_cancelled(odd, fault):
    client = odd(Quirk.ABANDONED_RUN, clock="manual", pace=1)
    client.emulator.fail("run_stream", **fault)
    with suppress(httpx.TransportError):
        assert client.post("/run/stream", json=client.order()).status_code == 503
    client.emulator.advance(10)
    assert [run.status for run in client.emulator.runs] == ["cancelled"]


def test_run_with_fully_read_stream_succeeds(odd):
    client = odd(Quirk.ABANDONED_RUN)
    client.post("/run/stream", json=client.order())
    assert [run.status for run in client.emulator.runs] == ["success"]


def test_stream_ends_at_null_output(odd):
    client = odd(Quirk.SILENT_END)
    answer = client.post("/run/stream", json=client.order(inputs={"text": ["a", None]}))
    assert answer.status_code == 200
    assert '"status": "success"' not in answer.text
    assert '"executed"' not in answer.text
    (run,) = client.emulator.runs
    client.post("/run/sync", json=client.order())
    assert client.get(f"/run/{run.id}").json()["status"] == "success"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (["a", True, 1, 0], [["a", True, True, False]]),
        ([None], []),
        ([5], []),
        ([1.5], []),
        ([{"a": 1}], []),
        ("hello", [["hello"]]),
    ],
)
def test_output_that_server_cannot_read_vanishes(odd, text, kept):
    client = odd(Quirk.VANISHING_OUTPUTS)
    outputs = client.post("/run/sync", json=client.order(inputs={"text": text})).json()
    assert [output["data"]["text"] for output in outputs] == kept


def test_only_output_that_cannot_be_read_vanishes(odd):
    client = odd(Quirk.VANISHING_OUTPUTS)
    client.emulator.script("picture", Succeeds([NodeOutput("result"), NodeOutput("number", texts=[5])]))
    outputs = client.post("/run/sync", json=client.order()).json()
    assert [output["output_id"] for output in outputs] == ["result"]


def test_run_without_files_times_out(odd):
    client = odd(Quirk.LATE_TIMEOUT)
    text = client.post("/run/stream", json=client.order(inputs={"text": "hello"})).text
    assert '"status": "running"' in text
    assert '"status": "success"' not in text
    (run,) = client.emulator.runs
    assert (run.status, [output.data for output in run.outputs]) == ("timeout", [{"text": ["hello"]}])


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Succeeds(), "success"), (Succeeds([]), "success"), (Fails(), "failed")],
)
def test_run_with_files_ends_normally(odd, outcome, status):
    client = odd(Quirk.LATE_TIMEOUT)
    client.emulator.script("picture", outcome)
    client.post("/run/sync", json=client.order())
    assert [run.status for run in client.emulator.runs] == [status]


@pytest.mark.parametrize(
    ("quirks", "form"),
    [
        ([], "2026-01-02T03:04:06.178000Z"),
        ([Quirk.TIMES_WITHOUT_SECONDS], "2026-01-02T03:04Z"),
        ([Quirk.DOUBLED_ZONES], "2026-01-02T03:04:06.178000+00Z"),
        ([Quirk.TIMES_WITHOUT_SECONDS, Quirk.DOUBLED_ZONES], "2026-01-02T03:04+00Z"),
    ],
)
def test_times_are_malformed_outside_inputs(odd, quirks, form):
    client = odd(*quirks, clock="manual", pace=1, cold_start=0.5)
    given = {"created_at": "2026-01-02T03:04:05.678Z"}
    run_id = client.post("/run/queue", json=client.order(inputs=given)).json()["run_id"]
    client.emulator.advance(60)
    run = client.get(f"/run/{run_id}").json()
    assert (run["queued_at"], run["workflow_inputs"]) == (form, given)
    (output,) = run["outputs"]
    assert len(output["created_at"]) == len(form)
    row = client.get(f"/workflow/{run['workflow_id']}/runs").json()[0]
    assert row["created_at"].endswith(form[-4:] if quirks else "Z")


def delivered(client, sink, **fields):
    client.post("/run/queue", json=client.order(webhook=sink.url, **fields))
    client.emulator.advance(60)
    return [(one.method, one.body["status"]) for one in client.emulator.deliveries]


@pytest.mark.parametrize(
    ("quirks", "order"),
    [
        ([], "queued started running success"),
        ([Quirk.LATE_WEBHOOKS], "started running success queued"),
        ([Quirk.UNORDERED_WEBHOOKS], "started queued success running"),
        ([Quirk.REPEATED_WEBHOOKS], "queued queued started started running running success success"),
        ([Quirk.LATE_WEBHOOKS, Quirk.UNORDERED_WEBHOOKS], "queued success started running"),
    ],
)
def test_webhooks_arrive_in_order_of_their_own(odd, sink, quirks, order):
    client = odd(*quirks, clock="manual")
    assert [status for _, status in delivered(client, sink)] == order.split()
    assert [body["status"] for _, _, body in sink.received.queue] == order.split()


def test_repeated_delivery_is_get(odd, sink):
    sink.answers[:] = [500, 200]
    client = odd(Quirk.GET_WEBHOOKS, clock="manual")
    assert delivered(client, sink)[:3] == [("POST", "queued"), ("GET", "queued"), ("POST", "started")]


def test_repeated_webhook_arrives_as_get_too(odd, sink):
    client = odd(Quirk.GET_WEBHOOKS, Quirk.REPEATED_WEBHOOKS, clock="manual")
    assert delivered(client, sink)[:2] == [("POST", "queued"), ("GET", "queued")]


def test_early_cancel_sends_late_webhook(odd, sink):
    client = odd("all", clock="manual", pace=1)
    run_id = client.post("/run/queue", json=client.order("slow", webhook=sink.url)).json()["run_id"]
    client.post(f"/run/{run_id}/cancel")
    client.emulator.advance(1)
    assert [one.body["status"] for one in client.emulator.deliveries] == ["cancelled", "cancelled"]
