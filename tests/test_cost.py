"""The cost of a call in counts: modules, objects of httpx and calls of Python functions.

The limits are slightly above the current counts. Raise one only with a reason.
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections import Counter

import httpx
import pytest

from comfydeploy import ComfyDeployCore
from comfydeploy._wire import json_decoding
from comfydeploy._wire.events import RunStreamDecoder
from comfydeploy._wire.reply import Reply
from comfydeploy.funcs.run_get import OPERATION, run_get, run_get_async
from comfydeploy.funcs.run_queue import run_queue, run_queue_async

SERVER = "http://127.0.0.1:1"
REQUEST = {"deployment_id": "d", "inputs": {"prompt": "a lighthouse", "seed": 7}}
MOMENT = "2026-03-14T09:26:53.589793Z"
EVENTS = [
    'event: event_update\ndata: {"event": "executing", "data": {"node": "5", "prompt_id": "r"}}\n\n',
    'event: log_update\ndata: {"logs": "At: 38%", "timestamp": "' + MOMENT + '"}\n\n',
]

beside_httpx = pytest.mark.skipif(
    httpx.Client.__module__.startswith("httpx2"), reason="the limits are those beside httpx: httpx2 makes fewer calls"
)


def document(outputs):
    picture = {"url": "https://f", "type": "output", "filename": "f.png", "is_public": True, "subfolder": ""}
    output = {"id": "o", "run_id": "r", "data": {"images": [picture]}, "created_at": MOMENT, "updated_at": MOMENT}
    times = dict.fromkeys(("ended_at", "created_at", "updated_at", "queued_at", "started_at"), MOMENT)
    return json.dumps({"id": "r", "status": "success", "outputs": [output] * outputs, **times}).encode()


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, body):
        self.body = body

    def __iter__(self):
        yield self.body

    async def __aiter__(self):
        yield self.body


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers at once, so that only the client counts."""

    def handle_request(self, request):
        body = document(outputs=3) if request.method == "GET" else b'{"run_id":"r"}'
        head = {"content-type": "application/json", "content-length": str(len(body))}
        return httpx.Response(200, headers=head, stream=Body(body))

    async def handle_async_request(self, request):
        return self.handle_request(request)


def loaded(code):
    listing = f"import json, sys; bare = set(sys.modules); {code}; print(json.dumps(sorted(set(sys.modules) - bare)))"
    command = [sys.executable, "-c", listing]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def calls_of(work):
    """Count the Python functions that a function calls, after a first call that fills caches."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    work()
    gc.collect()
    gc.disable()  # objects of other tests may be finalized at any moment, which would be counted here
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


@pytest.fixture(autouse=True)
def _without_the_extra(monkeypatch):
    monkeypatch.setattr(json_decoding, "accept", json_decoding.scanned)


SPEED = (
    "msgspec",
    "httptools",
    "_cython",
    "comfydeploy._http.llhttp_response",
)  # what only the extra loads


@pytest.fixture
def core():
    with ComfyDeployCore(bearer="k", server_url=SERVER, transport=Wire(), async_transport=Wire()) as made:
        yield made


class TestTheImportOfAnOperation:
    def test_loads_no_results_http_or_cattrs(self):
        heads = {name.partition(".")[0] for name in loaded("from comfydeploy.funcs.run_queue import run_queue")}
        assert not heads & {"returns", "typing_extensions", "httpx", "cattrs", "msgspec", "asyncio", "ssl", "logging"}

    def test_loads_few_modules(self):
        modules = loaded("from comfydeploy.funcs.run_queue import run_queue")
        assert len(modules) < len(loaded("import httpx")) / 2
        # Small modules, with one topic each; `benchmarks.import_time` measures their import.
        assert len([name for name in modules if name.startswith("comfydeploy")]) <= 39


class TestTheFirstCall:
    CALL = (
        "import httpx; from comfydeploy import ComfyDeployCore, Success; "
        "from comfydeploy.funcs.run_get import run_get; "
        "wire = httpx.MockTransport(lambda _: httpx.Response(200, json={'id': 'r', 'status': 'queued'})); "
        "result = run_get(ComfyDeployCore(bearer='k', transport=wire), 'r'); assert isinstance(result, Success)"
    )
    BARE = "import httpx; httpx.Client().build_request('GET', 'http://a')"

    def test_does_not_need_rules_of_cattrs(self):
        assert not [name for name in loaded(self.CALL) if name.startswith("cattr")]

    def test_loads_little_beside_httpx(self):
        ours = {name for name in loaded(self.CALL) if not name.startswith(SPEED)} - set(loaded(self.BARE))
        assert len(ours) <= 85
        assert len([name for name in ours if name.startswith("comfydeploy")]) <= 55


class TestACall:
    def test_makes_one_request_and_no_client(self, core, monkeypatch):
        made = Counter()
        run_get(core, "r").unwrap()
        for kind in (httpx.Client, httpx.Request, httpx.Response, httpx.Headers, httpx.Cookies, httpx.Timeout):

            def counted(self, *given, kind=kind, start=kind.__init__, **named):
                made[kind.__name__] += 1
                start(self, *given, **named)

            monkeypatch.setattr(kind, "__init__", counted)
        run_get(core, "r").unwrap()
        assert made == {"Request": 1, "Response": 1, "Headers": 2}

    @beside_httpx
    @pytest.mark.parametrize(
        ("own", "bare", "most"),
        [
            # One of them is `telemetry.report`, by which tracing and the log see an attempt.
            (lambda core: run_get(core, "r"), lambda client: client.get(f"{SERVER}/run/r"), 208),
            (lambda core: run_queue(core, REQUEST), lambda client: client.post(f"{SERVER}/q", json=REQUEST), 182),
        ],
        ids=["run_get", "run_queue"],
    )
    def test_makes_fewer_calls_than_httpx(self, core, own, bare, most):
        with httpx.Client(transport=Wire()) as client:
            count = calls_of(lambda: own(core).unwrap())
            # A quarter of them is `Client.send`, which tools that instrument httpx patch.
            assert count <= calls_of(lambda: bare(client).json()) * 0.68
        assert count <= most

    @beside_httpx
    @pytest.mark.parametrize(
        ("own", "bare", "most"),
        [
            (lambda core: run_get(core, "r"), lambda client: client.get(f"{SERVER}/run/r"), 78),
            (lambda core: run_queue(core, REQUEST), lambda client: client.post(f"{SERVER}/q", json=REQUEST), 55),
        ],
        ids=["run_get", "run_queue"],
    )
    def test_adds_few_to_a_client_of_the_caller(self, own, bare, most):
        with (
            httpx.Client(transport=Wire(), timeout=60) as client,
            ComfyDeployCore(bearer="k", server_url=SERVER, http_client=client) as core,
        ):
            assert calls_of(lambda: own(core).unwrap()) - calls_of(lambda: bare(client).json()) <= most

    @beside_httpx
    @pytest.mark.parametrize(
        ("own", "bare"),
        [
            (lambda core: run_get_async(core, "r"), lambda client: client.get(f"{SERVER}/run/r")),
            (lambda core: run_queue_async(core, REQUEST), lambda client: client.post(f"{SERVER}/q", json=REQUEST)),
        ],
        ids=["run_get_async", "run_queue_async"],
    )
    def test_calls_less_than_it_awaited_as_well(self, core, own, bare):
        async def counts():
            async with httpx.AsyncClient(transport=Wire()) as client:
                return [counted(lambda: own(core)), counted(lambda: bare(client))]

        def counted(call):
            def work():
                steps = call().__await__()
                with pytest.raises(StopIteration):  # there is no wait
                    next(steps)

            return calls_of(work)

        ours, theirs = asyncio.run(counts())
        assert ours <= theirs * 0.85


class TestReading:
    @pytest.mark.parametrize("event", EVENTS, ids=["event_update", "log_update"])
    def test_event_takes_few_calls(self, event):
        decoder = RunStreamDecoder()
        one, many = (calls_of(lambda count=count: decoder.feed(event.encode() * count)) for count in (1, 101))
        assert (many - one) / 100 <= 6

    def test_output_takes_few_calls(self):
        few, many = (
            calls_of(lambda reply=reply: OPERATION.decode(reply))
            for reply in (Reply(200, {}, document(0)), Reply(200, {}, document(100)))
        )
        # The output, its file, its two times of two calls each, and until Python 3.12 two comprehensions.
        assert (many - few) / 100 <= 8

    def test_events_leave_nothing_behind(self):
        decoder = RunStreamDecoder()

        def kept(count):
            for _ in range(count):
                decoder.feed("".join(EVENTS).encode() * 10)
            gc.collect()
            return sys.getallocatedblocks()

        before = kept(10)
        assert kept(1000) - before < 100
