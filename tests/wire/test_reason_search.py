"""The search for the reason of an ended run: its requests, their times, and its result."""

import json
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from comfydeploy._wire.reason_search import ReasonSearch
from comfydeploy._wire.steps import Answer, ReadLogs, ReadNewerRows, ReadRows, Sleep
from comfydeploy.errors import ConnectionError, SDKError
from comfydeploy.models import RunLog, WorkflowRunModel, WorkflowRunOutputModel, WorkflowRunRow
from comfydeploy.models.document import Documents
from comfydeploy.outcome import RunFailed, RunTimedOut, run_outcome
from comfydeploy.result import Failure, Success

ROWS = json.loads((Path(__file__).parent.parent / "samples" / "failures.json").read_text())["rows"]
MOMENT = datetime(2026, 11, 25, 21, 18, tzinfo=UTC)
RAISED = {"node_id": "5", "node_type": "K", "exception_type": "E", "exception_message": "m", "current_inputs": "SECRET"}
RUN = WorkflowRunModel(id="r", status="failed", workflow_id="w", created_at=MOMENT, live_status="Executing K")
LOST = Failure(ConnectionError("lost", "unknown"))
GONE = Failure(SDKError("gone", 404))
LOGGED = Success([RunLog(log="!!! Exception during processing !!! no")])


def row(run_id, *documents):
    return WorkflowRunRow(id=run_id, status="failed", raw={"outputs": [{"data": document} for document in documents]})


class Server:
    """Answers from lists, repeats the last answer, and records requests with their times. A request takes 0.1 s."""

    def __init__(self, rows=(), places=(), logs=(), latency=0.1):
        self.answers = {ReadRows: list(rows), ReadNewerRows: list(places), ReadLogs: list(logs)}
        self.latency = latency
        self.sent = []
        self.now = 100.0

    def found(self, run, until=1e9, end=None):
        steps = ReasonSearch(run, self.now, until).steps(end or run_outcome(run).failure())
        result = None
        try:
            step = next(steps)
            while True:
                step = steps.send(Answer(self.answer(step), self.now, 0.5))
        except StopIteration as stop:
            result = stop.value
        return result

    def answer(self, step):
        if isinstance(step, Sleep):
            assert step.seconds > 0
            self.now += step.seconds
            return None
        assert step.seconds > 0
        self.sent.append((round(self.now - 100, 3), step))
        self.now += self.latency
        answers = self.answers[type(step)]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @property
    def kinds(self):
        return [type(step).__name__ for _, step in self.sent]


@pytest.mark.parametrize("sample", ROWS, ids=lambda sample: sample["name"])
def test_every_failure_of_real_server(sample):
    output = WorkflowRunOutputModel(id="o", run_id="r", data={"text": ["x"]})
    times = {
        name: datetime.fromisoformat(text) for name, text in sample["run"].items() if name.endswith("_at") and text
    }
    run = WorkflowRunModel(**{**sample["run"], "started_at": None, **times}, id="RUN", workflow_id="w",
                           outputs=[output] * sample["run_outputs"])  # fmt: skip
    server = Server(
        [Success([row("RUN", *sample["row"])])], logs=[Success([RunLog(log=x) for x in sample["archive"] or []])]
    )
    outcome = run_outcome(run)
    if sample["message"] is None:
        assert outcome.unwrap() is run
        assert bool(run.warning) is not bool(run.outputs)
        return
    end = server.found(run)
    assert (end.message, getattr(end, "kind", None), getattr(end, "source", None)) == (
        sample["message"],
        sample["kind"],
        sample["source"],
    )
    assert end.run is run
    assert "SECRET" not in repr(attrs.asdict(end, recurse=False))
    assert sample["run"]["status"] == "failed" or "ReadLogs" not in server.kinds


def test_recent_run_takes_one_request():
    server = Server([Success([row("x"), row("r", RAISED)])])
    end = server.found(RUN)
    assert (end.message, end.source, end.run) == ("K (node 5): E: m", "row", RUN)
    assert server.sent == [(0.0, ReadRows("w", 5, 0, 5.0))]


def test_older_run_is_found_by_its_place():
    newer = [row(f"x{n}") for n in range(100)]
    server = Server(
        [Success(newer[:5]), Success([row("r", RAISED)])], [Success(newer), Success([row("y"), row("r"), row("z")])]
    )
    assert server.found(RUN).source == "row"
    assert [step[:4] for _, step in server.sent] == [
        ("w", 5, 0, 5.0),
        ("w", MOMENT, 100, 0),
        ("w", MOMENT, 100, 100),
        ("w", 1, 101, pytest.approx(4.7)),
    ]


def test_moved_index_is_read_again():
    server = Server(
        [Success([row("x")]), Success([row("y")]), Success([row("r", RAISED)])],
        [Success([row("x"), row("r")]), Success([row("x"), row("y"), row("r")])],
    )
    assert server.found(RUN).source == "row"
    assert [step.offset for _, step in server.sent if isinstance(step, ReadRows)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "places", "requests"),
    [
        ([Success([row("x")])], [Success([row("x"), row("r")])], 6),  # its index changes each time
        ([Success([row("x")])], [Success([row("x")])], 2),  # it is not in the list
        ([Success([])], [Success([row(f"x{n}") for n in range(100)])], 21),  # the list has no end
        ([Success([])], [GONE], 2),
        ([GONE], [], 1),
    ],
)
def test_row_that_cannot_be_found(rows, places, requests):
    server = Server(rows, places, [Success([])], latency=0.01)
    end = server.found(RUN)
    assert (end.kind, end.source, end.message) == ("unknown", "guess", run_outcome(RUN).failure().message)
    assert server.kinds.index("ReadLogs") == requests


@pytest.mark.parametrize("missing", [{"workflow_id": None}, {"created_at": None}])
def test_run_that_is_in_no_list(missing):
    server = Server([Success([row("x")])], logs=[LOGGED])
    end = server.found(attrs.evolve(RUN, **missing))
    assert (end.source, end.logs) == ("logs", ("!!! Exception during processing !!! no",))
    assert "ReadNewerRows" not in server.kinds


def test_late_row_is_read_again():
    server = Server([Success([row("r")]), Success([row("r", RAISED)])])
    assert server.found(RUN).source == "row"
    assert [time for time, _ in server.sent] == [0.0, 0.35]


def test_failed_read_is_retried_for_5_s():
    server = Server([LOST], logs=[LOGGED])
    assert server.found(RUN).source == "logs"
    times = [time for time, step in server.sent if isinstance(step, ReadRows)]
    assert times[:3] == [0.0, 0.35, 0.7]
    assert times[-1] < 5.0
    assert all(time + step.seconds <= 5.0 + 1e-9 for time, step in server.sent if isinstance(step, ReadRows))


def test_archive_is_read_each_second_for_10_s():
    server = Server([GONE], logs=[LOST])
    assert server.found(RUN).source == "guess"
    times = [time for time, step in server.sent if isinstance(step, ReadLogs)]
    assert times == pytest.approx([0.1 + second for second in range(10)])


def test_retry_after_is_kept_in_search():
    busy = SDKError("busy", 429, headers={"retry-after": "3"})
    server = Server([Failure(busy)], logs=[Failure(busy)])
    assert server.found(RUN).source == "guess"
    assert [time for time, _ in server.sent] == pytest.approx([0.0, 3.1, 3.2, 6.3, 9.4, 12.5])


def test_no_pause_goes_past_budget():
    server = Server([Failure(SDKError("busy", 429, headers={"retry-after": "60"}))], logs=[LOGGED])
    assert server.found(RUN).source == "logs"
    assert [time for time, _ in server.sent] == pytest.approx([0.0, 0.1])


def test_slow_archive_is_reread_at_once():
    server = Server([GONE], logs=[Success([])], latency=1.5)
    assert server.found(RUN).source == "guess"
    times = [time for time, step in server.sent if isinstance(step, ReadLogs)]
    assert times == pytest.approx([1.5 + 1.5 * read for read in range(7)])


def test_archive_is_read_until_it_has_reason():
    server = Server([Success([row("r")])], logs=[Success([]), Success([RunLog(log="x")]), LOGGED])
    assert server.found(RUN).source == "logs"
    assert server.kinds.count("ReadLogs") == 3


@pytest.mark.parametrize(
    "complete",
    [
        Success(Documents([RunLog(log="x")], raw=[{"log": "x"}, None, {"log": 5}, {"log": " __END__ "}])),
        Success([RunLog(log="x"), RunLog(log=" __END__ ", raw={"log": " __END__ "})]),
    ],
)
def test_complete_archive_ends_search(complete):
    server = Server([Success([row("r")])], logs=[Success([]), complete, complete])
    end = server.found(RUN)
    assert (end.kind, end.source, end.logs) == ("crashed", "guess", ("x",))
    assert server.kinds.count("ReadLogs") == 3


@pytest.mark.parametrize("raw", [{}, {"outputs": None}, {"outputs": []}])
def test_row_without_outputs_is_found(raw):
    server = Server([Success([WorkflowRunRow(id="r", status="failed", raw=raw)])], logs=[GONE])
    assert server.found(RUN).kind == "crashed"
    assert server.kinds == ["ReadRows", "ReadRows", "ReadLogs"]


def test_archive_without_end_is_read_again():
    server = Server([Success([row("r")])], logs=[Success([RunLog(log="x", raw={"log": "x"})])])
    assert server.found(RUN).logs == ("x",)
    assert server.kinds.count("ReadLogs") == 10


def test_archive_that_is_refused_ends_search():
    server = Server([Success([row("r")])], logs=[GONE])
    assert server.found(RUN).kind == "crashed"
    assert server.kinds.count("ReadLogs") == 1


def test_nothing_is_sent_past_deadline():
    server = Server([LOST], logs=[Success([])])
    end = server.found(RUN, until=101.0)
    assert end.source == "guess"
    assert all(time + step.seconds <= 1.0 + 1e-9 for time, step in server.sent)
    assert server.now <= 101.1
    late = Server()
    assert late.found(RUN, until=99.0).source == "guess"
    assert late.sent == []


def test_logs_keep_last_200_lines():
    logs = Success([RunLog(log=f"line {n}") for n in range(300)] + LOGGED.unwrap())
    assert len(Server([GONE], logs=[logs]).found(RUN).logs) == 200


def test_no_log_is_read_for_timeout_or_cancel():
    timeout = attrs.evolve(RUN, status="timeout")
    server = Server([Success([row("r", RAISED)])], logs=[LOGGED])
    assert isinstance(server.found(timeout), RunTimedOut)
    assert server.kinds == ["ReadRows"]
    server = Server()
    cancelled = attrs.evolve(RUN, status="cancelled")
    assert server.found(cancelled).message == "The run was cancelled at K"
    assert server.sent == []


def test_unknown_status_keeps_its_message():
    run = attrs.evolve(RUN, status="evicted", ended_at=MOMENT)
    end = Server([Success([row("r")])], logs=[GONE]).found(run)
    assert isinstance(end, RunFailed)
    assert (end.kind, end.message) == ("unknown", run_outcome(run).failure().message)
