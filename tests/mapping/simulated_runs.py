"""A service whose runs live by a simulated clock, and the driver of a ``Following`` that reads them."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from comfydeploy._mapping.following import Following
from comfydeploy._mapping.requests import FindWorkflow, ListRows, ReadRun
from comfydeploy._wire.run_search import SearchScope
from comfydeploy._wire.steps import Sleep
from comfydeploy.errors import SDKError
from comfydeploy.models import WorkflowRunModel, WorkflowRunRow
from comfydeploy.result import Failure, Success

BEGINNING = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)
PLACE = SearchScope(deployment_id="d")
LIFE = ("not-started", "queued", "running")


class Service:
    """Runs are ``id: (created, begins, ends, final status)``, in seconds; a run is listed ``lateness`` after that."""

    def __init__(self, *, latency=0.02, lateness=0.0, fails=lambda action: None):
        self.runs = {}
        self.latency, self.lateness, self.fails = latency, lateness, fails
        self.sent = []

    def create(self, run_id, now, *, waits=0.0, takes=10.0, final="success", deployment="d"):
        self.runs[run_id] = (now, now + waits, now + waits + takes, final, deployment)

    def status(self, run_id, now):
        _created, begins, ends, final, _ = self.runs[run_id]
        if now >= ends:
            return final
        return LIFE[-1] if now >= begins + 0.2 else LIFE[1] if now >= begins else LIFE[0]

    def answer(self, action, now):
        self.sent.append((now, action))
        if isinstance(action, FindWorkflow):
            trouble = self.fails(action)
            return Success("w") if trouble is None else Failure(trouble)
        trouble = self.fails(action)
        if trouble is not None:
            return Failure(trouble)
        if isinstance(action, ReadRun):
            if action.run_id not in self.runs:
                return Failure(SDKError("unknown", 404))
            status, created = self.status(action.run_id, now), self.runs[action.run_id][0]
            return Success(WorkflowRunModel(id=action.run_id, status=status, created_at=moment(created)))
        assert isinstance(action, ListRows)
        assert action.workflow_id == "w"
        since = -1e9 if action.since is None else (action.since - BEGINNING).total_seconds() // 1
        found = (
            (run_id, created)
            for run_id, (created, *_, deployment) in sorted(self.runs.items(), key=lambda run: -run[1][0])
            if since <= created <= now - self.lateness
            and action.deployment_id in (None, deployment)
            and action.status in (None, self.status(run_id, now))
        )
        page = islice(found, action.offset, action.offset + action.limit)
        rows = [WorkflowRunRow(id=one, status=self.status(one, now), created_at=moment(at)) for one, at in page]
        return Success(rows)


class Night:
    """Follows runs until all have ended; ``ended`` is when each was reported."""

    def __init__(self, service, dice=lambda: 0.5):
        self.service, self.dice = service, dice
        self.now = 0.0
        self.following = Following(0.0)
        self.ended, self.false = {}, 0
        self.planned = []

    def start(self, run_id, place=PLACE, **life):
        self.service.create(run_id, self.now, **life)
        self.following.add(run_id, place, self.now)

    def plan(self, at, run_id, **life):
        self.planned.append((at, run_id, life))
        self.planned.sort(key=lambda one: one[0], reverse=True)

    def step(self, until=float("inf")):
        """Do one thing; return whether there is more to do."""
        while self.planned and self.planned[-1][0] <= self.now:
            _, run_id, life = self.planned.pop()
            self.start(run_id, **life)
        action = self.following.next(self.now)
        wake = min(until, self.planned[-1][0] if self.planned else until)
        if action is None or isinstance(action, Sleep):
            assert action is None or action.seconds > 0
            seconds = wake - self.now if action is None else min(action.seconds, wake - self.now)
            if seconds == float("inf"):
                return False
            self.now += seconds
            return self.now < until
        result = self.service.answer(action, self.now + self.service.latency / 2)
        self.now += self.service.latency
        for run_id in self.following.feed(result, self.now, self.dice()):
            self.report(run_id)
        return True

    def report(self, run_id):
        """Look at a run that seems to have ended, as the driver of a map does."""
        if run_id in self.service.runs and self.service.status(run_id, self.now) != self.service.runs[run_id][3]:
            self.false += 1
            self.following.add(run_id, PLACE, self.now)
        else:
            assert run_id not in self.ended
            self.ended[run_id] = self.now

    def go(self, until=float("inf")):
        while self.step(until):
            pass
        return self

    def lateness(self, run_id):
        return self.ended[run_id] - self.service.runs[run_id][2]

    @property
    def requests(self):
        return [action for _, action in self.service.sent]


def moment(seconds):
    return BEGINNING + timedelta(seconds=seconds)
