"""Writing a lost journal again, step by step."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from comfydeploy._mapping.adopting import SETTLE, adopting
from comfydeploy._mapping.markers import Markers
from comfydeploy._mapping.rows import Row
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy._wire.timeline import Compute, Timeline
from comfydeploy.errors import SDKError, SDKValidationError
from comfydeploy.funcs.run_find import LISTS
from comfydeploy.models import AdoptedRuns, WorkflowRunRow
from comfydeploy.result import Failure, Success

SINCE = datetime(2026, 11, 25, tzinfo=UTC)
AT = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)


class Search:
    """The steps of a search in a list of rows, without a server."""

    def __init__(self, path, rows=(), error=None):
        self.path, self.rows, self.error = path, list(rows), error
        self.steps = []

    def run(self, **changes):
        given = {"journal": self.path, "name": "night", "place": SearchScope(workflow_id="w"), "since": SINCE}
        steps = adopting(Timeline(0.0), LISTS, **{**given, "settle": 0, **changes})
        answer = None
        try:
            while True:
                answer = Answer(self.carry_out(steps.send(answer)), 0.0, 0.0)
        except StopIteration as end:
            return end.value

    def carry_out(self, step):
        if isinstance(step, Compute):
            return step.work()
        self.steps.append(step if isinstance(step, Sleep) else step.argument)
        if isinstance(step, Sleep):
            return None
        return Success(self.rows) if self.error is None else Failure(self.error)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "new.sqlite")


def row(run_id, marker, created_at=AT, **inputs):
    return WorkflowRunRow(
        id=run_id, status="success", created_at=created_at, workflow_inputs={"comfydeploy_key": marker, **inputs}
    )


def test_no_run_writes_no_journal(tmp_path, path):
    search = Search(path, [row("r", "day/j/k/1"), row("s", "night/no-marker")])
    assert search.run() == Success(AdoptedRuns({}, listed=True, twins=[], others=0))
    assert [*tmp_path.iterdir()] == []
    assert Search(path).run().unwrap().listed is False


def test_the_newest_journal_is_written(path):
    old, new = Markers("night", "old"), Markers("night", "new")
    rows = [
        row("b2", new.of("b", 1), seed=2),
        row("b1", new.of("b", 1), seed=2),
        row("c1", old.of("c", 1)),
        row("a2", new.of("a", 2), created_at=None, image="https://h/x?sig=1"),
        row("a1", new.of("a", 1)),
    ]
    found = Search(path, rows).run().unwrap()
    assert found.runs == {"a": "a2", "b": "b1"}
    assert (found.listed, found.twins, found.others) == (True, [("b", ("b1", "b2"))], 1)
    with closing(Sqlite(path, None, 300.0)) as journal:
        assert (journal.name, journal.uuid) == ("night", "new")
        a, b = (known.row for known in journal.find(["a", "b"]))
        assert a == Row(a.id, "a", "created", 2, tried_at=0.0, run_id="a2")
        assert b == Row(b.id, "b", "created", 1, tried_at=0.0, since="2026-11-25T03:04:05+00:00", run_id="b1")
        assert [journal.request(one.id) for one in (a, b)] == [
            '{"inputs":{"image":"https://h/x"}}',
            '{"inputs":{"seed":2}}',
        ]


def test_the_list_is_read_before_the_wait(path):
    search = Search(path)
    search.run(settle=SETTLE)
    first, pause, page = search.steps
    assert pause == Sleep(360.0)  # longest POST + grace
    assert first == {"workflow_id": "w", "limit": 1, "offset": 0, "with_outputs": False, "with_inputs": False}
    assert page["with_inputs"]
    failing = Search(path, error=SDKError("no", 401))
    assert failing.run(settle=1) == Failure(failing.error)
    assert len(failing.steps) == 1
    assert failing.run(settle=0.0) == Failure(failing.error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("settle", value) for value in (-0.1, True, None, float("inf"), float("nan"), "x" * 900)),
        *(("name", value) for value in (None, "a/b")),
        *(("since", value) for value in (None, "x", datetime(2026, 11, 25))),  # noqa: DTZ001 - naive on purpose
        ("journal", None),
    ],
)
def test_wrong_arguments_are_named(path, name, value):
    with pytest.raises(SDKValidationError) as caught:
        Search(path).run(**{name: value})
    assert caught.value.message.startswith(f"{name}: expected ")
    assert len(caught.value.message) <= len(name) + 2 + 200
    with pytest.raises(SDKValidationError, match="expected one of workflow_id"):
        Search(path).run(place=SearchScope())
