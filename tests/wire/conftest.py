"""Recorded exchanges of the real server, and calls without a connection."""

import json
import logging
from pathlib import Path

import pytest
from attrs import evolve, frozen

from comfydeploy._wire.exchange import Exchange
from comfydeploy._wire.operation import Operation, hinting, in_doubt, returning
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.funcs import run_get, run_queue, run_stream, run_sync
from comfydeploy.models import CreateRunResponse
from comfydeploy.models.secret import Secret

SAMPLES = Path(__file__).parent.parent / "samples"
EXCHANGES, STREAMS, WEBHOOKS = (
    json.loads((SAMPLES / f"{name}.json").read_text()) for name in ("exchanges", "streams", "webhooks")
)
GOOD = 200


@frozen
class Recording:
    """A response of the real server and its operation."""

    name: str
    operation: Operation
    sent: object
    reply: Reply
    argument: object


def _recording(sample):
    path = sample["path"].partition("?")[0]
    if sample["method"] == "GET":
        operation, argument = run_get.OPERATION, {"run_id": "an-id", "queue_position": None}
    else:
        by_name = {"queue": run_queue, "sync": run_sync, "stream": run_stream}
        operation, argument = by_name[path.rpartition("/")[2]].OPERATION, {"deployment_id": "an-id"}
    reply = Reply(sample["status"], sample["headers"], sample.get("body", "").encode())
    return Recording(sample["name"], operation, sample.get("sent"), reply, argument)


ANSWERS = [_recording(sample) for sample in EXCHANGES]


def pytest_generate_tests(metafunc):
    """Parametrize ``recording`` with every recording."""
    kinds = {
        "good_answer": [answer for answer in ANSWERS if answer.reply.status_code == GOOD],
        "refusal": [answer for answer in ANSWERS if answer.reply.status_code != GOOD],
    }
    for name, answers in kinds.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, answers, ids=[answer.name for answer in answers])
    if "recorded_stream" in metafunc.fixturenames:
        metafunc.parametrize("recorded_stream", STREAMS, ids=[stream["name"] for stream in STREAMS])
    if "delivery" in metafunc.fixturenames:
        sent = [(f"{hook['name']}-{place}", body) for hook in WEBHOOKS for place, body in enumerate(hook["deliveries"])]
        metafunc.parametrize("delivery", [body for _, body in sent], ids=[name for name, _ in sent])


@pytest.fixture(scope="session")
def answer():
    """Return a recorded response by its name."""
    by_name = {answer.name: answer for answer in ANSWERS}
    return by_name.__getitem__


@pytest.fixture(scope="session")
def stream():
    """Return a recorded stream by its name."""
    by_name = {stream["name"]: stream for stream in STREAMS}
    return by_name.__getitem__


@frozen(kw_only=True)
class Core:
    """The settings of a core for an exchange."""

    address: object = "https://server.test/api"
    bearer: object = "key-of-the-test"
    timeout: object = None
    retry_config: object = None
    hooks: object = ()
    debug_logger: object = None


READ = Operation("a_read", lambda _: Request("GET", "/thing"), returning(CreateRunResponse), creates="nothing")
CREATE = Operation(
    "a_creation",
    lambda body: Request("POST", "/thing", content=body),
    returning(CreateRunResponse),
    creates="run",
    read_timeout=300.0,
    hint=hinting("Look first.", when=in_doubt),
)


class Call(Exchange):
    """An exchange with a token and a default time."""

    def __init__(self, operation, argument, options, token="key-of-the-test", **core):
        super().__init__(Core(**core), operation, argument, options, now=0.0)
        self.key = Secret(token)

    def prepare(self, now=0.0):
        return super().prepare(self.key, now)

    def settle(self, outcome, now=0.0):
        return super().settle(outcome, now)


@pytest.fixture(scope="session")
def reading():
    """Begin a call that reads, with these settings of the core."""
    return lambda options=None, **core: Call(READ, None, options, **core)


@pytest.fixture(scope="session")
def creating():
    """Begin a call that creates a run, with these settings of the core."""
    return lambda options=None, **core: Call(CREATE, b"{}", options, **core)


@pytest.fixture(scope="session")
def following():
    """Begin a call whose response is a stream, with these settings of the core."""
    return lambda options=None, **core: Call(run_stream.OPERATION, {"deployment_id": "d"}, options, **core)


@pytest.fixture(scope="session")
def calling():
    """Begin any call, with a token that has been sent."""

    def call(operation, argument, token="key-of-the-test", **core):
        exchange = Call(operation, argument, None, token, **core)
        exchange.prepare()
        return exchange

    return call


@pytest.fixture(scope="session")
def changed():
    """Return the operation that reads, with changes."""
    return lambda **changes: evolve(READ, **changes)


@pytest.fixture
def logger():
    """Return a logger of all levels that keeps its ``lines``."""
    found = logging.Logger("of-the-test", logging.DEBUG)  # noqa: LOG001 - a private logger
    found.lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.lines.append(record.getMessage())

    found.addHandler(Keep())
    return found
