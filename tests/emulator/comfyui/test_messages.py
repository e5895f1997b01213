import pytest

from comfydeploy.result import unwrap


def test_one_connection_serves_all_runs(comfyui, forwarding, node, saver):
    local = forwarding(comfyui.url)
    before = len(comfyui.clients)
    outputs = local.ran_at_once([local.request(node("Sampler", steps=1), saver)] * 20)
    assert [len(one) for one in outputs] == [1] * 20
    (client_id,) = comfyui.clients[before:]
    assert {prompt["client_id"] for prompt in comfyui.prompts[-20:]} == {client_id}


def test_lost_connection_is_reopened_with_its_id(comfyui, forwarding, node):
    local = forwarding(comfyui.url)
    before = len(comfyui.clients)
    for last in ("Leaver", "Text"):
        events = local.streamed(local.request(node("Text"), node(last), node("Text")))
        assert events[-1][1]["status"] == "success"
    assert len(comfyui.clients[before:]) == 2
    assert len(set(comfyui.clients[before:])) == 1


@pytest.fixture
def resumed(comfyui, forwarding, node, saver):
    """Close the connection of a run while it waits; return the later events and the run."""

    def run(*last):
        local = forwarding(comfyui.url)
        before = len(comfyui.clients)
        # Executing: the node that saves, the one that waits, and the same one again.
        with unwrap(local.stream(local.request(saver, node("Waiter"), *last))) as stream:
            run_id = comfyui.waiting.get(timeout=5)
            # ComfyUI sends a client that has reconnected the current node, without the prompt.
            comfyui.greeting = "2"
            comfyui.send_message(comfyui.clients[before], None)
            events = (one for one in (unwrap(item).data for item in stream) if hasattr(one, "event"))
            for _ in range(3):
                next(one for one in events if one.event == "executing")
            comfyui.release()
            rest = list(events)
            comfyui.greeting = None
        return rest, local.ended(run_id)

    return run


def test_events_go_on_after_lost_connection(resumed, node):
    events, run = resumed(node("Sampler", steps=3), node("Text"))
    kinds = [one.event for one in events]
    assert kinds.count("progress") == 3
    assert kinds[-3:] == ["execution_success", "executing", "status"]
    assert {one.data["prompt_id"] for one in events if one.event == "executing"} == {run.id}
    assert (run.status, run.progress, len(run.outputs)) == ("success", 1.0, 1)


def test_error_after_lost_connection_is_reason(resumed, node):
    events, run = resumed(node("Raiser", reason="too late"))
    assert [one.data["exception_message"] for one in events if one.event == "execution_error"] == ["too late"]
    assert run.status == "failed"


def test_lost_connection_ends_no_run_that_waits(comfyui, forwarding, node, saver):
    local = forwarding(comfyui.url)
    requests = [local.request(node("Leaver"), saver), *[local.request(node("Text"), saver)] * 5]
    assert [len(one) for one in local.ran_at_once(requests)] == [1] * 6
