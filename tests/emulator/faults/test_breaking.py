"""Faults, on a socket and through memory: both break in the same way."""

import threading

import httpx
import pytest

from comfydeploy._emulator.clock import BEGINNING
from comfydeploy.emulator import Emulator, Fault, Succeeds


@pytest.fixture(scope="module")
def emulator():
    with Emulator(pace=0) as emulator:
        yield emulator


@pytest.fixture(params=["socket", "memory"])
def http(request, emulator):
    """A client through either; the faults and the requests of the last test are removed."""
    emulator.clear_faults()
    emulator.clear_requests()
    transport = emulator.transport if request.param == "memory" else None
    headers = {"authorization": f"Bearer {emulator.bearer}"}
    with httpx.Client(base_url=emulator.url, headers=headers, transport=transport, timeout=10) as client:
        yield client


@pytest.fixture
def queue(emulator, http):
    """Queue a run: ``queue()``."""
    return lambda **options: http.post("/run/queue", json={"deployment_id": emulator.deployments["picture"]}, **options)


def read(answer):
    """Read a response as far as it goes; return it with the error that ended it."""
    received = b""
    try:
        for chunk in answer.iter_raw():
            received += chunk
    except httpx.TransportError as error:
        return received, error
    return received, None


class TestAnotherAnswer:
    @pytest.mark.parametrize(
        ("options", "content_type", "body"),
        [
            ({"status": 503}, "application/json", b'{"detail":"Service Unavailable"}'),
            ({"status": 500}, "text/plain; charset=utf-8", b"Internal Server Error"),
            ({"status": 598}, "application/json", b'{"detail":"Unknown"}'),
            ({"status": 204}, None, b""),
            ({"status": 429, "body": "slow down"}, "text/plain; charset=utf-8", b"slow down"),
            ({"status": 200, "body": b"\x00\xff"}, "text/plain; charset=utf-8", b"\x00\xff"),
            ({"status": 400, "body": {"detail": "no"}}, "application/json", b'{"detail":"no"}'),
            ({"status": 502, "body": "<p>", "content_type": "text/html"}, "text/html", b"<p>"),
        ],
    )
    def test_has_status_and_its_usual_body(self, emulator, queue, options, content_type, body):
        emulator.fail("run_queue", **options)
        answer = queue()
        assert (answer.status_code, answer.content) == (options["status"], body)
        assert answer.headers.get("content-type") == content_type

    def test_422_has_list_of_problems(self, emulator, queue):
        emulator.fail("run_queue", status=422)
        ((problem),) = queue().json()["detail"]
        assert problem.keys() >= {"loc", "msg", "type"}

    def test_with_body_alone_is_200(self, emulator, queue):
        emulator.fail("run_queue", body={"run_id": "r"})
        assert (queue().status_code, queue().json()) == (200, {"run_id": "r"})

    @pytest.mark.parametrize(("given", "sent"), [(3, "3"), (0.5, "0.5"), ("Wed, 21 Oct 2026 07:28:00 GMT",) * 2])
    def test_may_have_retry_after(self, emulator, queue, given, sent):
        emulator.fail("run_queue", status=429, retry_after=given)
        assert queue().headers["retry-after"] == sent

    def test_may_be_usual_one_with_other_headers(self, emulator, queue):
        emulator.fail("run_queue", content_type="text/html", headers={"x-odd": "1"})
        answer = queue()
        assert answer.json().keys() == {"run_id"}
        assert (answer.headers["content-type"], answer.headers["x-odd"]) == ("text/html", "1")


class TestNoAnswer:
    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            ({"reset": True}, httpx.ReadError, "reset by peer"),
            ({"garbage": b"\x00what?\r\n\r\n"}, httpx.RemoteProtocolError, "illegal"),
            ({"garbage": ""}, httpx.RemoteProtocolError, "disconnected without sending"),
        ],
    )
    def test_is_same_error_on_every_way(self, emulator, queue, options, error, said):
        emulator.fail("run_queue", **options)
        with pytest.raises(error, match=said):
            queue()

    def test_may_hang_until_client_leaves(self, emulator, queue):
        emulator.fail("run_queue", hang=True, times=1)
        with pytest.raises(httpx.ReadTimeout):
            queue(timeout=0.05)
        assert queue().status_code == 200


class TestAnAnswerBrokenOff:
    @pytest.mark.parametrize("most", [0, 1, 5, 48])
    @pytest.mark.parametrize(
        ("option", "error"), [("reset_after", httpx.ReadError), ("truncate_after", httpx.RemoteProtocolError)]
    )
    def test_gives_its_first_bytes_and_then_error(self, emulator, http, option, error, most):
        emulator.fail("run_queue", **{option: most})
        body = {"deployment_id": emulator.deployments["picture"]}
        with http.stream("POST", "/run/queue", json=body) as answer:
            assert answer.status_code == 200
            received, broken = read(answer)
        assert isinstance(broken, error)
        assert received == b'{"run_id":"'[:most] + received[11:most]
        assert len(received) == most

    def test_is_whole_when_it_is_shorter(self, emulator, queue):
        emulator.fail("run_queue", reset_after=49)
        assert queue().json().keys() == {"run_id"}

    def test_may_be_stream_whose_run_goes_on(self, emulator, http):
        emulator.fail("run_stream", reset_after=200)
        body = {"deployment_id": emulator.deployments["picture"]}
        with http.stream("POST", "/run/stream", json=body) as answer:
            assert isinstance(read(answer)[1], httpx.ReadError)
        assert emulator.open_streams == 0
        assert http.get("/deployments").status_code == 200

    def test_may_exceed_connection_buffer(self, emulator, http):
        large = b"x" * 5_000_000
        emulator.fail("run_queue", body=large, reset_after=4_000_000)
        with http.stream("POST", "/run/queue") as answer:
            received, broken = read(answer)
        assert isinstance(broken, httpx.ReadError)
        assert received == large[:4_000_000]


class TestWhetherTheRequestIsCarriedOut:
    @pytest.mark.parametrize("options", [{"status": 502}, {"reset": True}, {"garbage": ""}])
    @pytest.mark.parametrize("execute", [False, True])
    def test_is_for_test_to_say(self, emulator, http, queue, options, execute):
        emulator.fail("run_queue", **options, execute=execute)
        before = self.runs(emulator, http)
        try:
            assert queue().status_code == 502
        except httpx.TransportError:
            assert "status" not in options
        assert self.runs(emulator, http) - before == execute

    def runs(self, emulator, http):
        workflow = http.get("/deployments").json()[0]["workflow"]["id"]
        return len(http.get(f"/workflow/{workflow}/runs", params={"limit": 10_000}).json())

    def test_may_be_late(self, by_hand, connect):
        client = connect(by_hand)
        by_hand.fail("run_queue", times=1, status=500, execute=True, appear_after=5)
        order = {"deployment_id": by_hand.deployments["picture"]}
        assert client.post("/run/queue", json=order).status_code == 500
        by_hand.advance(4.9)
        assert by_hand.runs == ()
        by_hand.advance(0.2)
        assert len(by_hand.runs) == 1
        by_hand.advance(60)
        (run,) = by_hand.runs
        assert (run.status, (run.created_at - BEGINNING).total_seconds()) == ("success", 5)

    def test_may_be_late_after_disconnect(self, by_hand, connect):
        client = connect(by_hand)
        for effect in ({"reset": True}, {"garbage": ""}):
            by_hand.fail("run_queue", times=1, execute=True, appear_after=1, **effect)
            with pytest.raises(httpx.TransportError):
                client.post("/run/queue", json={"deployment_id": by_hand.deployments["picture"]})
        by_hand.advance(1)
        assert len(by_hand.runs) == 2


class TestACompressedAnswer:
    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_is_compressed_whatever_is_accepted(self, emulator, http, coding):
        emulator.fail("deployments_list", times=1, compress=coding)
        answer = http.get("/deployments", headers={"accept-encoding": "identity"})
        assert (answer.headers["content-encoding"], "content-length" in answer.headers) == (coding, False)
        assert answer.json() == http.get("/deployments").json()

    @pytest.mark.parametrize(("option", "ends"), [("cut_after", True), ("truncate_after", False)])
    def test_may_be_cut(self, emulator, http, option, ends):
        emulator.fail("deployments_list", times=1, compress="gzip", **{option: 100})
        with http.stream("GET", "/deployments") as answer:
            received, broken = read(answer)
        assert (len(received), broken is None) == (100, ends)
        assert received.startswith(b"\x1f\x8b")

    def test_may_be_of_stored_file(self, emulator, http):
        body = {"deployment_id": emulator.deployments["picture"]}
        (output,) = http.post("/run/sync", json=body).json()
        url = output["data"]["images"][0]["url"]
        whole = http.get(url).content
        emulator.fail("output_file", times=1, compress="deflate")
        assert http.get(url).content == whole
        emulator.fail("output_file", times=1, cut_after=10)
        assert http.get(url).content == whole[:10]
        emulator.fail("output_file", times=1, status=302, headers={"location": "?moved"})
        moved = http.get(url, follow_redirects=True)
        assert ([one.status_code for one in moved.history], moved.content) == ([302], whole)


class TestSlowness:
    def test_is_in_time_of_emulator(self, emulator, queue):
        """At pace 0 an hour takes no time."""
        emulator.fail("run_queue", delay=3600, chunk_delay=3600, read_delay=3600)
        assert queue().status_code == 200

    @pytest.mark.parametrize("option", ["delay", "chunk_delay", "read_delay"])
    def test_ends_when_time_is_advanced(self, option):
        with Emulator(port=None, clock="manual") as emulator:
            emulator.fail(
                "deployments_list", **{option: 30} if option != "read_delay" else {"read_delay": 30, "status": 503}
            )
            headers = {"authorization": f"Bearer {emulator.bearer}"}
            with httpx.Client(headers=headers, transport=emulator.transport, timeout=10) as client:
                call = threading.Thread(target=lambda: client.get(f"{emulator.url}/deployments"))
                call.start()
                seconds = 0
                while call.is_alive():
                    emulator.advance(1)
                    seconds += bool(emulator.requests)
                assert seconds >= 30

    @pytest.mark.parametrize("port", [0, None])
    def test_chunk_delay_before_deadline(self, port):
        with Emulator(port=port, clock="manual", cold_start=0) as emulator:
            emulator.script("picture", Succeeds(seconds=0))
            emulator.fail("run_stream", chunk_delay=1)
            body = {"deployment_id": emulator.deployments["picture"]}
            headers = {"authorization": f"Bearer {emulator.bearer}"}
            transport = None if port == 0 else emulator.transport
            with (
                httpx.Client(headers=headers, transport=transport, timeout=10) as client,
                client.stream("POST", f"{emulator.url}/run/stream", json=body) as answer,
            ):
                emulator.advance(0)
                events = (line for line in answer.iter_lines() if line.startswith("data: "))
                for count in (1, 5, 20):
                    emulator.advance(count)
                    chunks = [next(events) for _ in range(count)]
                    assert len(set(chunks)) == count
                emulator.advance(60)
                assert "success" in list(events)[-1]

    @pytest.mark.parametrize("option", ["delay", "chunk_delay", "read_delay"])
    @pytest.mark.parametrize("way", ["socket", "memory"])
    def test_is_met_by_limit_of_client(self, option, way):
        with Emulator(pace=100_000) as emulator:
            emulator.fail("run_queue", **{option: 1})
            transport = emulator.transport if way == "memory" else None
            headers = {"authorization": f"Bearer {emulator.bearer}"}
            with httpx.Client(headers=headers, transport=transport, timeout=0.05) as client:
                body = {"deployment_id": emulator.deployments["picture"]}
                with pytest.raises(httpx.ReadTimeout):
                    client.post(f"{emulator.url}/run/queue", json=body)

    @pytest.mark.parametrize("way", ["socket", "memory"])
    def test_read_delay_blocks_large_request(self, way):
        with Emulator(pace=100_000) as emulator:
            emulator.fail("file_upload", read_delay=1)
            transport = emulator.transport if way == "memory" else None
            headers = {"authorization": f"Bearer {emulator.bearer}"}
            files = {"file": ("a.png", b"x" * 20_000_000)}
            with (
                httpx.Client(headers=headers, transport=transport, timeout=0.05) as client,
                pytest.raises(httpx.WriteTimeout),
            ):
                client.post(f"{emulator.url}/file/upload", files=files)


class TestWhichCallsMeetIt:
    def statuses(self, queue, count):
        return [queue().status_code for _ in range(count)]

    def test_are_all_unless_times_says_otherwise(self, emulator, queue):
        emulator.fail("run_queue", status=503)
        assert self.statuses(queue, 3) == [503, 503, 503]
        emulator.clear_faults()
        assert self.statuses(queue, 1) == [200]

    def test_times_and_after_choose_calls(self, emulator, queue):
        emulator.fail("run_queue", status=503, times=2, after=1)
        assert self.statuses(queue, 5) == [200, 503, 503, 200, 200]

    def test_first_unused_fault_applies(self, emulator, queue):
        emulator.fail("run_queue", status=503, times=1)
        emulator.fail("run_queue", status=429, times=1)
        emulator.fail("*", status=500, times=1, after=3)
        assert self.statuses(queue, 5) == [503, 429, 200, 500, 200]
        assert emulator.faults == ()

    def test_are_those_of_that_operation_only(self, emulator, http, queue):
        emulator.fail("deployments_list", status=503)
        assert queue().status_code == 200
        assert http.get("/deployments").status_code == 503

    @pytest.mark.parametrize("name", ["*", None])
    def test_are_those_of_every_operation_and_none(self, emulator, http, queue, name):
        emulator.fail(name, status=503)
        assert queue().status_code == http.get("/nope").status_code == 503

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("run_batch", {"batch_number": 2}),
            ("run_batch", {"batch_input_params": {}}),
            ("run_first_result", {"execution_mode": "sync_first_result"}),
            ("run_native", {"is_native_run": True}),
        ],
    )
    def test_body_decides_between_operations(self, emulator, http, name, body):
        emulator.fail(name, status=418)
        whole = {"deployment_id": emulator.deployments["picture"]} | body
        assert http.post("/run", json=whole).status_code == 418
        assert http.post("/run", json={"deployment_id": whole["deployment_id"]}).status_code == 200

    def test_include_downloads(self, emulator, http):
        emulator.fail("output_file", status=404, times=1)
        body = {"deployment_id": emulator.deployments["picture"]}
        (output,) = http.post("/run/sync", json=body).json()
        address = output["data"]["images"][0]["url"]
        assert [http.get(address).status_code for _ in range(2)] == [404, 200]

    def test_are_counted_once_from_many_threads(self, emulator, queue):
        emulator.fail("run_queue", status=503, times=10)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(queue().status_code)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 10 + [503] * 10


class TestAnOrder:
    @pytest.fixture
    def emulator(self):
        return Emulator()

    def test_gives_fault(self, emulator):
        assert emulator.fail("run_queue", times=2, status=503) == Fault(operation="run_queue", times=2, status=503)
        assert emulator.faults == (Fault(operation="run_queue", times=2, status=503),)

    def test_may_come_before_server_starts(self, emulator):
        emulator.fail("deployments_list", status=503)
        with emulator:
            assert httpx.get(f"{emulator.url}/deployments").status_code == 503

    @pytest.mark.parametrize(
        ("operation", "options", "said"),
        [
            ("run_que", {"status": 503}, r"operation: No operation is called 'run_que'; expected '\*' or .*run_queue"),
            ("run_queue", {}, "needs an effect"),
            ("run_queue", {"times": 1, "after": 1}, "needs an effect"),
            ("run_queue", {"status": "503"}, "status: .*integer"),
            ("run_queue", {"status": 99}, "status: .*200"),
            ("run_queue", {"status": 600}, "status: .*599"),
            ("run_queue", {"times": 0, "status": 503}, "times: .*1"),
            ("run_queue", {"after": -1, "status": 503}, "after: .*0"),
            ("run_queue", {"delay": -1}, "delay: .*0"),
            ("run_queue", {"delay": float("nan")}, "delay: .*finite"),
            ("run_queue", {"reset_after": 1.5}, "reset_after: .*integer"),
            ("run_queue", {"headers": {"a": 1}}, "headers.a: .*string"),
            ("run_queue", {"statsu": 503}, "statsu: .*not permitted"),
            ("run_queue", {"hang": True, "reset": True}, "hang and reset|reset and hang"),
            ("run_queue", {"hang": True, "status": 503}, "exclude each other"),
            ("run_queue", {"reset_after": 1, "truncate_after": 1}, "exclude each other"),
            ("run_queue", {"reset_after": 1, "execute": True}, "execute needs"),
            ("run_queue", {"cut_after": 1, "truncate_after": 1}, "truncate_after and cut_after exclude each other"),
            ("run_queue", {"compress": "br"}, "compress: .*'gzip' or 'deflate'"),
            ("run_queue", {"status": 500, "appear_after": 1}, "appear_after needs execute"),
        ],
    )
    def test_invalid_fault_is_refused_with_reason(self, emulator, operation, options, said):
        with pytest.raises(ValueError, match=said):
            emulator.fail(operation, **options)
        assert emulator.faults == ()


@pytest.mark.parametrize("way", ["socket", "memory"])
@pytest.mark.parametrize("options", [{"hang": True}, {"delay": 1}])
def test_stopping_ends_hanging_requests(way, options):
    emulator = Emulator(pace=100_000)
    emulator.start()
    emulator.fail("*", **options)
    transport = emulator.transport if way == "memory" else None
    errors = []

    def call():
        with httpx.Client(transport=transport) as client:
            try:
                client.get(f"{emulator.url}/deployments", timeout=10)
            except httpx.TransportError as error:
                errors.append(type(error))

    thread = threading.Thread(target=call)
    thread.start()
    while not emulator.requests:
        pass
    emulator.stop()
    thread.join()
    assert len(errors) == 1
    assert errors[0] is not httpx.ReadTimeout
