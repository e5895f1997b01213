import itertools
import json

import httpx
import pytest

from comfydeploy._emulator.comfyui.errors import refusal_lines
from comfydeploy.emulator import Fails
from comfydeploy.funcs.run_cancel import run_cancel
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_logs import run_logs
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.funcs.run_sync import run_sync
from comfydeploy.result import unwrap

ARRIVAL = ["queuing", "function_call_id", "gpu_ready", "gpu_event_id", "comfyui_api_ready", "comfyui_ready"]


def kinds(events):
    """Return the kinds in order, without logs and repetitions."""
    return [kind for kind, _ in itertools.groupby(kind for kind, _ in events if kind != "log")]


def of(kind, events):
    return [data for one, data in events if one == kind]


@pytest.fixture
def streamed(local):
    """Stream a run of these nodes to its end."""
    return lambda *nodes, **fields: local.streamed(local.request(*nodes, **fields))


def test_events_follow_recorded_order(streamed, node, saver):
    story = kinds(streamed(node("Cached"), node("Sampler", steps=2), saver))
    assert story[:8] == [*ARRIVAL, "", "execution_start"]
    assert story[8:13] == ["execution_cached", "progress_state", "executing", "live_status", "status"]
    assert story[13:18] == ["progress_state", "progress", "progress_state", "progress", "progress_state"]
    assert story[18:] == [
        "executing",
        "live_status",
        "executed",
        "output_ready",
        "progress_state",
        "execution_success",
        "executing",
        "status",
    ]


def test_run_id_is_prompt_id(streamed, comfyui, local, saver):
    events = streamed(saver)
    (nameless,) = of("", events)
    run_id = comfyui.prompts[-1]["prompt_id"]
    assert nameless == {"prompt_id": run_id, "number": nameless["number"], "node_errors": {}}
    assert {data["prompt_id"] for _, data in events if isinstance(data, dict)} == {run_id}
    assert local.ended(run_id).status == "success"


def test_older_comfyui_may_choose_id_itself(fake, forwarding, node, saver):
    with fake(chooses_ids=True) as comfyui:
        local = forwarding(comfyui.url)
        events = local.streamed(local.request(node("Sampler", steps=1), saver))
        run_id = comfyui.prompts[-1]["prompt_id"]
        assert {data["prompt_id"] for _, data in events if isinstance(data, dict)} == {run_id}
        states = of("progress_state", events)[-1]["nodes"]
        assert {state["prompt_id"] for state in states.values()} == {run_id}
        assert [list(output.data) for output in local.ended(run_id).outputs] == [["images"]]


def test_progress_counts_done_and_cached_nodes(streamed, local, comfyui, node):
    live = of("live_status", streamed(node("Cached"), node("Text"), node("Text"), node("Decoder")))
    assert [(one["live_status"], one["progress"]) for one in live] == [
        ("Executing Text", 0.5),
        ("Executing Text", 0.75),
        ("Executing Decoder", 1.0),
    ]
    run = local.ended(comfyui.prompts[-1]["prompt_id"])
    assert (run.live_status, run.progress) == ("Executing Decoder", 1.0)


def test_run_that_is_cached_as_whole_succeeds(streamed, node):
    assert kinds(streamed(node("Cached")))[-4:] == ["execution_cached", "execution_success", "executing", "status"]


def test_previews_and_queue_messages_are_dropped(streamed, node):
    statuses = of("status", streamed(node("Sampler", steps=3)))
    assert [list(status) for status in statuses] == [["prompt_id", "status"]] * 2
    assert [status["status"] for status in statuses] == ["running", "success"]


def test_log_has_progress(local, comfyui, node):
    unwrap(run_sync(local.core, local.request(node("Text"), node("Decoder"))))
    run_id = comfyui.prompts[-1]["prompt_id"]
    lines = [line.log for line in unwrap(run_logs(local.core, run_id))]
    assert lines == [f"Executing prompt: {run_id}", "At: 50% - Text", "At: 100% - Decoder", "Prompt done"]


def test_error_of_node_is_reason_of_failed_run(streamed, comfyui, local, node):
    events = streamed(node("Text"), node("Raiser", reason="out of memory"), node("Text"))
    assert kinds(events)[-2:] == ["execution_error", "status"]
    (error,) = of("execution_error", events)
    assert (error["node_id"], error["node_type"], error["exception_message"]) == ("2", "Raiser", "out of memory")
    assert of("log", events)[-1] == "RuntimeError: out of memory"
    assert "  File nodes.py, line 1" in of("log", events)
    run = local.ended(comfyui.prompts[-1]["prompt_id"])
    assert (run.status, run.live_status) == ("failed", "Executing Raiser")


def test_refused_graph_fails_with_its_error(streamed, local, comfyui, node):
    events = streamed(node("NoSuchNode"))
    *earlier, last = kinds(events)
    # The client expects nothing after it, but reads what has come together with it.
    assert [*earlier, last] == [*ARRIVAL, ""] or (earlier, last) == ([*ARRIVAL, ""], "status")
    (refusal,) = of("", events)
    assert refusal == {
        "error": {
            "type": "invalid_prompt",
            "message": "Cannot execute because node NoSuchNode does not exist.",
            "details": "Node ID '#1'",
            "extra_info": {},
        },
        "node_errors": {},
    }
    run = local.ended(comfyui.prompts[-1]["prompt_id"])
    assert (run.status, run.outputs) == ("failed", [])


def test_sync_of_failed_run_is_error(local, forwarding, comfyui, node):
    failure = run_sync(local.core, local.request(node("Raiser", reason="no"))).failure()
    assert (failure.status_code, failure.detail.endswith("ended as failed")) == (400, True)
    quirky = forwarding(comfyui.url, quirks=["empty-sync"])
    assert unwrap(run_sync(quirky.core, quirky.request(node("Raiser", reason="no")))) == []


def test_pictures_hold_their_workflow(streamed, comfyui, node):
    streamed(node("Text"), workflow={"nodes": []})
    assert comfyui.prompts[-1]["extra_data"] == {"extra_pnginfo": {"workflow": {"nodes": []}}}


def test_other_deployments_are_simulated(local, comfyui):
    before = len(comfyui.prompts)
    (output,) = unwrap(run_sync(local.core, {"deployment_id": local.emulator.deployments["picture"]}))
    assert output.files[0].filename == "cd_00001_.png"
    assert len(comfyui.prompts) == before


def test_scripted_outcome_needs_no_comfyui(comfyui, forwarding, workflows, saver):
    local = forwarding(comfyui.url, workflows=workflows(flux={"1": saver}))
    local.emulator.script("flux", Fails("No paint"))
    before = len(comfyui.prompts)
    request = {"deployment_id": local.emulator.deployments["flux"]}
    assert of("execution_error", local.streamed(request))[0]["exception_message"] == "No paint\n"
    assert len(comfyui.prompts) == before
    assert len(unwrap(run_sync(local.core, request))) == 1
    assert len(comfyui.prompts) == before + 1


def test_inputs_of_graph_may_have_any_names(local, comfyui, saver):
    before = len(comfyui.prompts)
    for inputs in ({"text": "a caption"}, {"fail": True}):
        (output,) = unwrap(run_sync(local.core, local.request(saver, inputs=inputs)))
        assert output.files[0].filename == "a_00001_.png"
    assert len(comfyui.prompts) == before + 2


def test_seed_of_server_decides_seeds_of_samplers(comfyui, forwarding, node):
    def sent():
        local = forwarding(comfyui.url, seed=1)
        unwrap(run_sync(local.core, local.request(node("KSampler", seed=5))))
        return comfyui.prompts[-1]["prompt_id"], comfyui.prompts[-1]["prompt"]

    first = sent()
    assert first == sent()
    assert first[1]["1"]["inputs"]["seed"] != 5


def test_manual_clock_waits_for_comfyui(comfyui, forwarding, saver):
    local = forwarding(comfyui.url, clock="manual", pace=1, cold_start=0.5)
    run_id = unwrap(run_queue(local.core, local.request(saver))).run_id
    assert unwrap(run_get(local.core, run_id)).status == "not-started"
    local.emulator.advance(1)
    assert unwrap(run_get(local.core, run_id)).status == "success"


class TestCancelling:
    def test_interrupts_executed_prompt(self, local, comfyui, node):
        run_id = unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id
        assert comfyui.waiting.get(timeout=5) == run_id
        unwrap(run_cancel(local.core, run_id))
        assert comfyui.interrupted[-1] == run_id
        assert local.ended(run_id).status == "cancelled"

    def test_removes_queued_prompt(self, local, comfyui, node):
        first, second = (unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id for _ in range(2))
        assert comfyui.waiting.get(timeout=5) == first
        comfyui.until_queued(second)
        before = len(comfyui.interrupted)
        unwrap(run_cancel(local.core, second))
        assert comfyui.deleted[-1] == second
        comfyui.release()
        assert (local.ended(first).status, local.ended(second).status) == ("success", "cancelled")
        assert len(comfyui.interrupted) == before

    def test_stopping_server_gives_up_all_runs(self, forwarding, comfyui, node):
        local = forwarding(comfyui.url)
        run_id = unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id
        assert comfyui.waiting.get(timeout=5) == run_id
        local.emulator.stop()
        assert comfyui.interrupted[-1] == run_id

    def test_on_comfyuis_page_cancels_run(self, local, comfyui, node):
        with unwrap(run_stream(local.core, local.request(node("Waiter")))) as stream:
            run_id = comfyui.waiting.get(timeout=5)
            comfyui.interrupt()
            events = [unwrap(item).data for item in stream]
        assert [one.event for one in events if hasattr(one, "event")][-2:] == ["execution_interrupted", "status"]
        assert local.ended(run_id).status == "cancelled"

    def test_out_of_comfyuis_queue_cancels_run(self, local, comfyui, node):
        first, second = (unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id for _ in range(2))
        assert comfyui.waiting.get(timeout=5) == first
        comfyui.until_queued(second)
        comfyui.remove(second)
        comfyui.release()
        assert (local.ended(first).status, local.ended(second).status) == ("success", "cancelled")
        assert "queue" in unwrap(run_logs(local.core, second))[-1].log


class TestTrouble:
    """A run ends with a reason when ComfyUI fails."""

    def test_history_replaces_lost_messages(self, streamed, node, saver):
        events = streamed(node("Text"), node("Leaver"), node("Text"), saver)
        assert kinds(events)[-5:] == ["executed", "output_ready", "execution_success", "executing", "status"]
        assert len(of("execution_start", events)) == 1
        assert of("status", events)[-1]["status"] == "success"
        (made,) = of("output_ready", events)
        assert httpx.get(made["output"]["images"][0]["url"]).content.startswith(b"\x89PNG")

    def test_error_after_that_is_still_reason(self, streamed, node):
        events = streamed(node("Leaver"), node("Raiser", reason="too late"))
        assert of("execution_error", events)[0]["exception_message"] == "too late"
        assert of("status", events)[-1]["status"] == "failed"

    def test_run_can_be_cancelled_after_that(self, local, comfyui, node):
        run_id = unwrap(run_queue(local.core, local.request(node("Leaver"), node("Waiter")))).run_id
        assert comfyui.waiting.get(timeout=5) == run_id
        unwrap(run_cancel(local.core, run_id))
        assert comfyui.interrupted[-1] == run_id
        assert local.ended(run_id).status == "cancelled"

    def test_comfyui_that_was_restarted_fails_run(self, streamed, node):
        events = streamed(node("Text"), node("Stopper"))
        assert "restarted" in of("execution_error", events)[0]["exception_message"]
        assert of("execution_error", events)[0]["node_type"] == "Stopper"
        assert of("status", events)[-1]["status"] == "failed"

    def test_comfyui_that_dies_fails_run(self, fake, forwarding, node):
        with fake() as comfyui:
            local = forwarding(comfyui.url)
            run_id = unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id
            assert comfyui.waiting.get(timeout=5) == run_id
        assert local.ended(run_id).status == "failed"
        assert "cannot be reached" in unwrap(run_logs(local.core, run_id))[-1].log

    def test_comfyui_that_cannot_be_reached_fails_run(self, fake, forwarding, node):
        with fake() as comfyui:
            local = forwarding(comfyui.url)
        events = local.streamed(local.request(node("Text")))
        assert kinds(events) == [*ARRIVAL, "execution_error", "status"]
        reason = of("execution_error", events)[0]["exception_message"]
        assert reason.startswith(f"ComfyUI at {comfyui.url} cannot be reached: ")
        assert of("log", events)[-1] == f"ComfyUIError: {reason}"

    def test_server_that_is_no_comfyui_fails_run(self, forwarding, emulator, node):
        local = forwarding(emulator.url)
        events = local.streamed(local.request(node("Text")))
        assert "cannot be reached" in of("execution_error", events)[0]["exception_message"]

    def test_answer_without_error_fails_run(self, streamed, node):
        events = streamed(node("Confuser"))
        message = of("execution_error", events)[0]["exception_message"]
        assert message == "ComfyUI answered POST /prompt with 500: Server got itself in trouble"

    def test_missing_output_fails_and_interrupts_run(self, streamed, comfyui, node):
        lost = node("Saver", ui={"images": [{"filename": "lost.png", "subfolder": "", "type": "output"}]})
        events = streamed(lost, node("Waiter"))
        assert of("execution_error", events)[0]["exception_message"].startswith(
            "ComfyUI answered 404 for its output lost.png: its output folder may have been cleaned"
        )
        assert comfyui.interrupted[-1] == comfyui.waiting.get(timeout=5) == comfyui.prompts[-1]["prompt_id"]

    def test_invalid_message_is_skipped(self, streamed, node, comfyui):
        comfyui.noise = ["no json", "[1]", json.dumps({"type": "crystools.monitor", "data": {"cpu": 1}})]
        try:
            assert of("status", streamed(node("Text")))[-1]["status"] == "success"
        finally:
            comfyui.noise = []


def test_password_of_address_is_never_shown(fake, forwarding, node):
    with fake() as comfyui:
        local = forwarding(comfyui.url.replace("http://", "http://me:secret@"))
    text = json.dumps(local.streamed(local.request(node("Text"))))
    assert comfyui.url in text
    assert "secret" not in text


MODEL = {
    "errors": [
        {
            "type": "value_not_in_list",
            "message": "Value not in list",
            "details": "ckpt_name: 'a.safetensors' not in [...]",
            "extra_info": {"input_name": "ckpt_name", "input_config": [["b.safetensors", "c.safetensors"], {}]},
        }
    ],
    "class_type": "CheckpointLoaderSimple",
}
LINE = (
    "CheckpointLoaderSimple (node 4): input ckpt_name: Value not in list: ckpt_name: 'a.safetensors' not in [...]; "
    "available: b.safetensors, c.safetensors"
)


def test_dropped_output_is_logged_and_kept_as_row(local, comfyui, node, saver):
    comfyui.node_errors = {"4": MODEL}
    try:
        run_id = unwrap(run_queue(local.core, local.request(saver))).run_id
        run = local.ended(run_id)
    finally:
        comfyui.node_errors = {}
    lines = [line.log for line in unwrap(run_logs(local.core, run_id))]
    assert (run.status, lines[:2]) == (
        "success",
        ["ComfyUI dropped outputs of the graph as invalid; they are missing", LINE],
    )
    (row,) = local.emulator.runs[-1].internal_outputs
    assert (row.data["error"]["prompt_id"], row.data["error"]["node_errors"]) == (run_id, {"4": MODEL})


def test_refused_graph_has_line_for_each_error():
    error = {"message": "Prompt outputs failed validation", "details": ""}
    assert list(refusal_lines({"error": error, "node_errors": {"4": MODEL}})) == [
        "ComfyUI refused the graph: Prompt outputs failed validation",
        LINE,
    ]
    many = {**MODEL, "errors": [{"message": "no", "extra_info": {"input_config": [list(range(50))]}}]}
    (_, line) = refusal_lines({"error": error, "node_errors": {"4": many}})
    assert line.endswith("18, 19, ...")


def test_mistyped_input_is_logged(local, node):
    request = local.request(node("ComfyUIDeployExternalText", input_id="prompt"))
    lines = of("log", local.streamed({**request, "inputs": {"promt": "a cat", "comfydeploy_key": "k"}}))
    assert lines[0] == "No node takes the input 'promt'; the inputs of this graph are: prompt"
    assert not [line for line in lines if "comfydeploy_key" in line]


def test_run_is_queued_until_comfyui_starts_it(local, comfyui, node):
    first, second = (unwrap(run_queue(local.core, local.request(node("Waiter")))).run_id for _ in range(2))
    assert comfyui.waiting.get(timeout=5) == first
    comfyui.until_queued(second)
    local.until(first, "running")  # as soon as the server has received the event
    shown = [unwrap(run_get(local.core, run_id, queue_position=True)) for run_id in (first, second)]
    assert [(run.status, run.queue_position) for run in shown] == [("running", None), ("queued", 2)]
    comfyui.release()
    assert comfyui.waiting.get(timeout=5) == second
    comfyui.release()
    assert local.ended(second).started_at > local.ended(second).queued_at


def test_fully_cached_run_has_full_progress(local, node):
    run_id = unwrap(run_queue(local.core, local.request(node("Cached")))).run_id
    assert local.ended(run_id).progress == 1.0


def test_key_of_comfy_org_is_passed_on(local, comfyui, node, monkeypatch):
    monkeypatch.setenv("COMFY_ORG_API_KEY", "comfyui-secret")
    local.streamed(local.request(node("Text")))
    assert comfyui.prompts[-1]["extra_data"] == {"api_key_comfy_org": "comfyui-secret"}
