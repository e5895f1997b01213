import gzip
from datetime import UTC, datetime

import httpx
import pytest

from comfydeploy import ComfyDeployCore
from comfydeploy._emulator import received
from comfydeploy._emulator.contents import MOST_KEPT, Contents
from comfydeploy._emulator.operations import OPERATIONS
from comfydeploy.emulator import Emulator, ReceivedFile, ReceivedRequest


@pytest.fixture
def emulator():
    with Emulator(port=None, pace=0) as emulator:
        yield emulator


@pytest.fixture
def http(emulator):
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    with httpx.Client(base_url=emulator.url, headers=headers, transport=emulator.transport) as client:
        yield client


def test_a_request_is_told_with_all_that_it_asked(emulator, http):
    before = datetime.now(UTC)
    body = {"deployment_id": emulator.deployments["picture"], "inputs": {"prompt": "a cat"}}
    http.post("/run/queue", params={"a": "1", "b": ""}, json=body, headers={"x-trace": "t"})
    (request,) = emulator.requests
    assert isinstance(request, ReceivedRequest)
    assert (request.method, request.path, request.query) == ("POST", "/api/run/queue", {"a": "1", "b": ""})
    assert (request.operation, request.status, request.body) == ("run_queue", 200, body)
    assert request.headers["x-trace"] == "t"
    assert request.size == int(request.headers["content-length"])
    assert before <= request.moment <= datetime.now(UTC)


def test_requests_are_told_in_their_order_and_can_be_forgotten(emulator, http):
    for path in ("/deployments", "/run/queue", "/nope"):
        http.get(path)
    assert [(one.operation, one.status) for one in emulator.requests] == [
        ("deployments_list", 200),
        ("run_get", 422),
        (None, 404),
    ]
    emulator.clear_requests()
    assert emulator.requests == ()


def test_the_key_is_not_shown(emulator, http):
    http.get("/deployments")
    for wrong in ("Bearer another-key", "bearer another-key", "another-key", "another-key x"):
        http.get("/deployments", headers={"authorization": wrong})
    shown = [one.headers["authorization"] for one in emulator.requests]
    assert shown == ["Bearer ***", "Bearer ***", "bearer ***", "***", "***"]
    assert emulator.bearer not in str(emulator.requests)
    assert "another-key" not in str(emulator.requests)


def test_a_request_is_there_before_it_is_answered(emulator, http):
    emulator.fail("run_queue", hang=True)
    with pytest.raises(httpx.ReadTimeout):
        http.post("/run/queue", json={"a": 1}, timeout=0.02)
    assert [(one.status, one.body) for one in emulator.requests] == [(None, {"a": 1})]


def test_what_a_fault_answered_is_told_too(emulator, http):
    emulator.fail("run_queue", status=503)
    http.post("/run/queue", json={"a": 1})
    assert [(one.status, one.body) for one in emulator.requests] == [(503, {"a": 1})]


def test_an_uploaded_file_is_told_by_name_and_size(emulator, http):
    files = {"file": ("кот.png", b"x" * 3_000_000, "image/png")}
    http.post("/file/upload", files=files, data={"note": "a note"})
    (request,) = emulator.requests
    assert request.body == {"file": ReceivedFile("кот.png", "image/png", 3_000_000), "note": "a note"}
    assert request.operation == "file_upload"


@pytest.mark.parametrize(
    ("content_type", "body", "decoded"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("application/problem+json; charset=utf-8", b"[]", []),
        ("", b'{"a": 1}', {"a": 1}),
        ("application/json", b"{no", "{no"),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("application/octet-stream", b"\xff\x00", "\ufffd\x00"),
        ("application/json", b"", None),
        ("text/plain", b"x" * MOST_KEPT, "x" * MOST_KEPT),
        ("text/plain", b"x" * (MOST_KEPT + 1), None),
        ("multipart/form-data", b"x", "x"),
        ("multipart/form-data; boundary=", b"x", "x"),
        ("multipart/form-data; boundary=b", b"no form", {}),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--b--',
            {"a": "1"},
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n1\r\n--b--", {"": "1"}),
        (f"multipart/form-data; boundary={'b' * 500}", b"x", {}),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 10_000_000])
def test_a_body_is_decoded_however_it_comes(content_type, body, decoded, piece):
    piece = max(piece, len(body) // 1000)
    contents = Contents(content_type)
    for start in range(0, len(body), piece):
        contents.add(body[start : start + piece])
    assert contents.decoded() == decoded
    assert contents.size == len(body)


def test_what_is_compressed_stays_as_it_is(emulator, http):
    http.post("/run/queue", content=gzip.compress(b"{}"), headers={"content-type": "application/json"})
    assert emulator.requests[0].status == 422


def test_only_the_last_requests_are_remembered(monkeypatch):
    monkeypatch.setattr(received, "MOST", 3)
    with Emulator(port=None) as emulator, httpx.Client(transport=emulator.transport) as client:
        for number in range(5):
            client.get("http://emulator/nope", params={"number": number})
        assert [one.query["number"] for one in emulator.requests] == ["2", "3", "4"]


def test_large_requests_are_remembered_as_long_as_there_is_room(emulator, http):
    http.get("/deployments")
    for number in range(70):
        http.post(
            "/run/queue", params={"number": number}, content=b" " * MOST_KEPT, headers={"content-type": "text/plain"}
        )
    assert 60 <= len(emulator.requests) < 66
    assert emulator.requests[-1].query == {"number": "69"}


def test_a_form_of_many_fields_is_read_as_far_as_there_is_room():
    contents = Contents("multipart/form-data; boundary=b")
    for number in range(5000):
        contents.add(f'--b\r\ncontent-disposition: form-data; name="{number}"\r\n\r\n{"x" * 10_000}\r\n'.encode())
    assert len(contents.decoded()) == 1000
    assert contents.kept <= MOST_KEPT


def test_whoever_watches_is_no_client(emulator, http):
    emulator.fail("*", status=503)
    with httpx.Client(transport=emulator.transport) as browser:
        assert browser.get("http://127.0.0.1/").status_code == 200
    assert emulator.requests == ()


def test_every_operation_of_the_client_has_its_name_here():
    import pkgutil

    from comfydeploy import funcs

    names = {module.name for module in pkgutil.iter_modules(funcs.__path__)} - {"run_get_run_run_run_id_get"}
    assert set(OPERATIONS) == names | {"output_file", "input_file"}


UNKNOWN = "00000000-0000-4000-8000-000000000000"
GRAPH = {"workflow_id": UNKNOWN, "workflow_api_json": {"1": {}}}
DEPLOYMENT = {"deployment_id": UNKNOWN}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("run_get", (UNKNOWN,)),
        ("run_cancel", (UNKNOWN,)),
        *((f"run_{mode}", (DEPLOYMENT,)) for mode in ("queue", "sync", "stream")),
        *((f"run_deployment_{mode}", (DEPLOYMENT,)) for mode in ("queue", "sync", "stream")),
        *((f"run_workflow_{mode}", (GRAPH,)) for mode in ("queue", "sync", "stream")),
        ("run_batch", ({**DEPLOYMENT, "batch_number": 2},)),
        ("run_first_result", (DEPLOYMENT,)),
        ("run_native", (DEPLOYMENT,)),
        ("run_logs", (UNKNOWN,)),
        ("run_logs_stream", (UNKNOWN,)),
        ("deployments_list", ()),
        ("session_create", ({"machine_id": UNKNOWN},)),
        ("session_get", (UNKNOWN,)),
        ("session_list", ()),
        ("session_cancel", (UNKNOWN,)),
        ("file_upload", (b"x",)),
    ],
)
def test_an_operation_is_what_its_function_asks_for(emulator, calls, name, arguments):
    ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways)
    calls(name, core, *arguments, **({"name": "a.png"} if name == "file_upload" else {}))
    assert [one.operation for one in emulator.requests] == [name]


def test_listing_runs_is_an_operation_too(emulator, calls):
    ways = {"transport": emulator.transport, "async_transport": emulator.async_transport}
    core = ComfyDeployCore(bearer=emulator.bearer, server_url=emulator.url, **ways)
    calls.pages("runs_list", core, UNKNOWN)
    assert [one.operation for one in emulator.requests] == ["runs_list"]
