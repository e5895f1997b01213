import httpx
import pytest

from comfydeploy.emulator import Emulator, Fails, NodeOutput, Quirk, Succeeds

PNG = {"a.png": b"a"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_connection_is_closed_after_500(odd):
    """A slow machine may notice the close before it sends again: then the test tries again."""
    client = odd(Quirk.CLOSED_CONNECTION)
    while True:
        answer = client.get(f"/deployment/{UNKNOWN}")
        assert (answer.status_code, "connection" in answer.headers) == (500, False)
        try:
            assert client.get("/deployments").status_code == 200
        except (httpx.RemoteProtocolError, httpx.ReadError):
            break
    # The request that failed was not read.
    assert client.emulator.requests[-1].operation == "deployment_get"
    assert client.get("/deployments").status_code == 200


def test_500_through_memory_is_whole():
    with Emulator(port=None, pace=0, quirks=["closed-connection"]) as emulator:
        with httpx.Client(base_url=emulator.url, transport=emulator.transport) as client:
            client.headers["authorization"] = f"Bearer {emulator.bearer}"
            statuses = [client.get(path).status_code for path in (f"/deployment/{UNKNOWN}", "/deployments") * 3]
        assert statuses == [500, 200] * 3


def test_connections_of_other_answers_stay_open(odd):
    client = odd(Quirk.CLOSED_CONNECTION)
    for _ in range(3):
        assert client.get(f"/run/{UNKNOWN}").status_code == 404
        assert client.post("/run/sync", json=client.order()).status_code == 200


@pytest.mark.parametrize(
    ("outputs", "status"),
    [
        ([NodeOutput(files=PNG)], 200),
        ([NodeOutput(texts=["a"]), NodeOutput(files=PNG)], 200),
        ([NodeOutput(files=PNG), NodeOutput(texts=["a"])], 500),
        ([NodeOutput(files={"a.mp4": b"a"})], 500),
        ([NodeOutput(files=PNG, kind="gifs")], 500),
        ([], 500),
    ],
)
def test_first_result_is_image_of_newest_output(odd, outputs, status):
    client = odd(Quirk.BLIND_FIRST_RESULT)
    client.emulator.script("picture", Succeeds(outputs))
    answer = client.post("/run", json=client.order(execution_mode="sync_first_result"))
    assert (answer.status_code, answer.content) == (status, b"a" if status == 200 else b"Internal Server Error")
    assert client.emulator.runs[0].status == "success"


def test_first_result_of_failed_run_is_400(odd):
    client = odd(Quirk.BLIND_FIRST_RESULT)
    client.emulator.script("picture", Fails())
    assert client.post("/run", json=client.order(execution_mode="sync_first_result")).status_code == 400


def test_graph_of_editor_is_500(odd):
    for quirks, status in (([Quirk.BROKEN_STORING], 500), ([], 200)):
        client = odd(*quirks)
        row = client.get("/deployments").json()[0]
        body = {name: row[name] for name in ("workflow_id", "machine_id")} | {"workflow_api_json": {"nodes": []}}
        assert client.post("/run/queue", json=body).status_code == status
        assert len(client.emulator.runs) == (status == 200)
