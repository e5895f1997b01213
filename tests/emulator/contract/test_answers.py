"""Every recorded request is sent again. The response has the recorded status, headers and shape, field by field.

The server with quirks answers like the real one. ``SANE`` lists where it answers otherwise without quirks.
"""

import re
from contextlib import closing

import httpx
import pytest

from comfydeploy.emulator import Emulator, Quirk

AUTHORIZATIONS = {
    "get-no-bearer": None,
    "queue-no-bearer": None,
    "stream-no-bearer": None,
    "cancel-no-bearer": None,
    "unknown-path-no-bearer": None,
    "get-basic": "Basic dTpw",
    "get-expired-key": "Bearer expired",
    "get-wrong-bearer": "Bearer wrong",
    "get-lowercase-bearer": "bearer {key}",
    "get-bearer-two-spaces": "Bearer  {key}",
}
CONTENT_TYPES = {
    "queue-form": "application/x-www-form-urlencoded",
    "queue-text-content-type": "text/plain",
    "queue-no-content-type": None,
    "upload-no-file": "multipart/form-data; boundary=36b28c37ad68a278099db2fd6181c022",
}
# Requests about an existing run.
OF_A_RUN = {"cancel-finished", "cancel-immediately"}
# The responses without quirks that differ.
SANE = {
    "queue-deployment-batch_number": (200, "run_id"),
    "queue-deployment-native": (200, "run_id"),
    "queue-old-batch_number": (200, "run_id"),
    "queue-old-native": (200, "run_id"),
    "queue-input-kinds": (200, "run_id"),
    "sync-batch": (200, "data"),
    "sync-native": (200, "data"),
    "stream-batch": (200, "execution_success"),
    "sync-error-run": (400, "ended as failed"),
    "sync-invalid-graph": (400, "ended as failed"),
    "queue-model": (404, "Model not found"),
    "cancel-classic": (404, "Run not found"),
    "cancel-other-user": (404, "Run not found"),
}
# Recorded times and addresses are complete, and each recorded request had its own connection.
LOOSE = {
    Quirk.TIMES_WITHOUT_SECONDS,
    Quirk.DOUBLED_ZONES,
    Quirk.EXPIRING_ADDRESSES,
    Quirk.CLOSED_CONNECTION,
}


class Replay:
    """Sends recorded requests to a local server, with its ids in place of the recorded ones."""

    def __init__(self, emulator):
        self._url = emulator.url
        self._key = emulator.bearer
        self._client = httpx.Client(timeout=10)
        rows = self._client.get(f"{emulator.url}/deployments", headers={"authorization": f"Bearer {self._key}"}).json()
        picture, slow, failing = rows
        self._ids = {
            "01": picture["workflow_id"],
            **dict.fromkeys(("05", "07"), picture["machine_id"]),
            "02": picture["workflow_version_id"],
            **dict.fromkeys(("08", "09", "0a", "20", "25", "26", "2a"), picture["id"]),
            "22": failing["id"],
            "24": slow["id"],
        }
        self._run_id = self._client.post(
            f"{self._url}/run/queue",
            json={"deployment_id": picture["id"]},
            headers={"authorization": f"Bearer {self._key}"},
        ).json()["run_id"]

    def close(self):
        self._client.close()

    def __call__(self, recording):
        headers = {
            "authorization": AUTHORIZATIONS.get(recording.name, "Bearer {key}"),
            "content-type": CONTENT_TYPES.get(recording.name, "application/json") if recording.sent else None,
        }
        path = recording.path
        if recording.name in OF_A_RUN:
            path = re.sub(r"(?<=/run/)[^/]+", self._run_id, path)
        return self._client.request(
            recording.method,
            self._url + self.translated(path),
            content=recording.sent and self.translated(recording.sent).encode(),
            headers={name: value.format(key=self._key) for name, value in headers.items() if value},
        )

    def translated(self, text):
        known = re.sub(
            r"11110000-0000-4000-8000-0000000000(\w\w)", lambda found: self._ids.get(found[1], found[0]), text
        )
        return re.sub(r"http://127\.0\.0\.1:8077[^\"]*", "http://127.0.0.1:9/", known)


@pytest.fixture(scope="module")
def real():
    """The server as it was recorded."""
    with Emulator(pace=0, quirks=set(Quirk) - LOOSE) as emulator, closing(Replay(emulator)) as replay:
        yield replay


@pytest.fixture(scope="module")
def sane():
    with Emulator(pace=0) as emulator, closing(Replay(emulator)) as replay:
        yield replay


@pytest.fixture
def hold(recordings, like):
    """Compare a response with a recorded one."""

    def compare(replay, recording):
        answer = replay(recording)
        assert answer.status_code == recording.status, answer.text
        assert headers_of(answer).items() >= headers_of(recording).items()
        if not recording.text:
            return
        if recording.status >= 400:
            assert without_wording(answer.text) == without_wording(replay.translated(recording.text))
        else:
            assert not like(answer.json(), *(one.body for one in recordings.values() if is_like(one, recording)))
            assert bool(answer.json()) == bool(recording.body)

    return compare


def test_recorded_request_is_answered_as_recorded(real, hold, recording):
    hold(real, recording)


def test_answer_without_quirks(sane, hold, recording):
    if recording.name not in SANE:
        hold(sane, recording)
        return
    status, words = SANE[recording.name]
    answer = sane(recording)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_exceptions_name_existing_recordings(recordings, exceptions):
    assert {*exceptions, *AUTHORIZATIONS, *CONTENT_TYPES, *OF_A_RUN, *SANE} <= set(recordings)


def headers_of(answer):
    names = ("content-type", "location", "allow", "cache-control", "x-accel-buffering")
    found = {name: value for name, value in answer.headers.items() if name in names}
    return found | ({"location": found["location"].partition("/api")[2]} if "location" in found else {})


def is_like(one, other):
    """Check whether two recordings are of the same operation and have equal responses."""
    kinds = [(each.method, each.path.rpartition("/")[2], each.status, each.text[:5]) for each in (one, other)]
    return kinds[0] == kinds[1]


def without_wording(text):
    """Remove the reason of a malformed id, whose text depends on the version of pydantic."""
    return re.sub(r"Input should be a valid UUID, |invalid (length|character): [^\"]*", "", text)
