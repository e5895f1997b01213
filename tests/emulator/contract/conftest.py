"""Responses of the real server, and the comparison of the local server's responses with them."""

import json
import re
from pathlib import Path

import pytest
from attrs import frozen

COMMON = Path(__file__).parent.parent.parent / "samples"
OWN = Path(__file__).parent.parent / "samples"

# Recorded in conditions that the local server does not have.
NOT_HERE = {
    "get-machine-scope-key": "there is one key only",
    "get-session-cookie": "there is one key only",
    "get-x-api-key": "there is one key only",
    "get-org-user": "there is one user only",
    "get-other-user": "there is one user only",
    "get-public-run-by-third": "there is one user only",
    "queue-deployment-without-api": "every deployment has a graph",
    "output-kind-null": "graphs with nodes that are not played",
    "output-kind-object": "graphs with nodes that are not played",
}
# Compared in other tests.
ELSEWHERE = {
    "file-then-run-upload",
    "stream-logs",
    "workflow-runs-list",
    "workflow-runs-failed",
    "workflow-runs-without-outputs",
    "workflow-runs-refused",
    "v2-workflow-runs-list",
    "v2-workflow-runs-since",
    "deployment-get",
    "deployment-runs",
}

# These have the same value in every response of their kind; of other texts only the form is compared.
FIXED = {"status", "origin", "machine_type", "gpu", "event_type", "type", "source", "user_id", "state", "message"}
# Objects whose keys are data: ids of nodes, kinds of outputs. Everything in FREE is data.
MAPS = {"data", "output", "nodes", "node_errors", "workflow_api", "workflow_api_raw"}
FREE = {"workflow_inputs", "inputs", "current_inputs", "extra_info"}

_FORMS = [
    ("time", re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")),
    ("id", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("call", re.compile(r"fc-[0-9A-Z]{26}")),
    ("number as text", re.compile(r"\d+\.\d{6}")),
    ("address", re.compile(r"https?://.*", re.DOTALL)),
]


@frozen
class Recording:
    """A request to the real server and its response."""

    name: str
    method: str
    path: str
    sent: str | None
    status: int
    headers: dict
    text: str

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def shows_a_run(self):
        return self.method == "GET" and self.status == 200 and self.path.startswith("/run")


def _recordings():
    for file in (COMMON / "exchanges.json", COMMON / "other_exchanges.json", OWN / "more_exchanges.json"):
        for one in json.loads(file.read_text(encoding="utf-8")):
            method, _, path = one["call"].partition(" ") if "call" in one else (one["method"], "", one["path"])
            headers = one["headers"] if "headers" in one else {"content-type": one["content_type"]}
            yield Recording(
                name=one["name"],
                method=method,
                path=path.removeprefix("/api"),
                sent=one.get("sent"),
                status=one["status"],
                headers={name: value for name, value in headers.items() if name != "content-length"},
                text=one["body"],
            )


RECORDINGS = {one.name: one for one in _recordings()}

STREAMS, WEBHOOKS = (
    {one["name"]: one for one in json.loads((COMMON / f"{name}.json").read_text(encoding="utf-8"))}
    for name in ("streams", "webhooks")
)


def pytest_generate_tests(metafunc):
    """Parametrize ``recording`` with each one that the local server can repeat, without those of runs in progress."""
    if "recording" in metafunc.fixturenames:
        chosen = [
            one for one in RECORDINGS.values() if one.name not in NOT_HERE.keys() | ELSEWHERE and not one.shows_a_run
        ]
        metafunc.parametrize("recording", chosen, ids=[one.name for one in chosen])


def kind(value, key=""):
    """Return the kind of a value: its type in JSON, the form of a text, or its value where that is fixed."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return {type(None): "null", dict: "object", list: "list"}[type(value)]
    if key in FIXED:
        return repr(value)
    form = next((form for form, pattern in _FORMS if pattern.fullmatch(value)), "text")
    # The form of a time has zeros for its digits: 0000-00-00T00:00:00.000Z.
    return re.sub(r"\d", "0", value) if form == "time" else form


def differences(found, recorded, path="$", key=""):
    """List the differences in shape between a document and all recorded documents of its kind."""
    kinds = {kind(one, key) for one in recorded}
    if kind(found, key) not in kinds:
        return [f"{path}: {kind(found, key)}, recorded: {' or '.join(sorted(kinds)) or 'nothing'}"]
    alike = [one for one in recorded if kind(one, key) == kind(found, key)]
    if isinstance(found, list):
        items = [item for one in alike for item in one]
        return [line for item in found for line in differences(item, items, f"{path}[]", key)]
    if not isinstance(found, dict) or key in FREE:
        return []
    if key in MAPS:
        values = [value for one in alike for value in one.values()]
        return [line for name, value in found.items() for line in differences(value, values, f"{path}.{name}")]
    missing = set.intersection(*(set(one) for one in alike)) - set(found)
    lines = [f"{path}.{name}: missing" for name in sorted(missing)]
    for name, value in found.items():
        values = [one[name] for one in alike if name in one]
        new = [f"{path}.{name}: not recorded"]
        lines += differences(value, values, f"{path}.{name}", name) if values else new
    return lines


@pytest.fixture(scope="session")
def recordings():
    """All recordings, by name."""
    return RECORDINGS


@pytest.fixture(scope="session")
def exceptions():
    """The names of the recordings that are not replayed with the others."""
    return NOT_HERE.keys() | ELSEWHERE


@pytest.fixture(scope="session")
def streams():
    """All recorded event streams, by name, each with its ``chunks``."""
    return STREAMS


@pytest.fixture(scope="session")
def webhooks():
    """All recorded deliveries in order, by the names of their runs."""
    return {name: one["deliveries"] for name, one in WEBHOOKS.items()}


@pytest.fixture(scope="session")
def like():
    """Return the differences between a document and recorded ones: ``assert not like(found, *recorded)``."""
    return lambda found, *recorded: sorted(set(differences(found, recorded)))
