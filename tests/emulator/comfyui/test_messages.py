def test_all_runs_are_told_of_over_one_connection(comfyui, forwarding, node, saver):
    local = forwarding(comfyui.url)
    before = len(comfyui.clients)
    outputs = local.ran_at_once([local.request(node("Sampler", steps=1), saver)] * 20)
    assert [len(one) for one in outputs] == [1] * 20
    (client_id,) = comfyui.clients[before:]
    assert {prompt["client_id"] for prompt in comfyui.prompts[-20:]} == {client_id}


def test_a_connection_that_was_lost_is_opened_anew_for_the_next_run(comfyui, forwarding, node):
    local = forwarding(comfyui.url)
    before = len(comfyui.clients)
    for last, live in (("Leaver", 2), ("Text", 3)):
        events = local.heard(local.request(node("Text"), node(last), node("Text")))
        assert events[-1][1]["status"] == "success"
        assert [kind for kind, _ in events].count("live_status") == live
    assert len(set(comfyui.clients[before:])) == 2


def test_a_lost_connection_ends_no_run_that_waits(comfyui, forwarding, node, saver):
    local = forwarding(comfyui.url)
    requests = [local.request(node("Leaver"), saver), *[local.request(node("Text"), saver)] * 5]
    assert [len(one) for one in local.ran_at_once(requests)] == [1] * 6
