"""A simulated service, and a driver that carries out the steps of a machine without waiting."""

from datetime import UTC, datetime, timedelta

from comfydeploy._wire.run_search import Lists
from comfydeploy._wire.steps import Answer, Sleep
from comfydeploy._wire.timeline import Compute, Send, Timeline
from comfydeploy.errors import ConnectionError, RequestTimeoutError
from comfydeploy.funcs import deployment_get, runs_list
from comfydeploy.models import CreateRunResponse, DeploymentModel, FileUploadResponse, WorkflowRunRow
from comfydeploy.result import Failure, Success

LISTS = Lists(runs_list.OPERATION, deployment_get.OPERATION)
BEGINNING = datetime(2026, 11, 25, 3, 4, 5, 678000, tzinfo=UTC)
LOST = ConnectionError("lost", "unknown")
HANG = "hang"
NAMES = {
    "get_all_runs": "rows",
    "get_deployment_deployment__deployment_id__get": "deployment",
    "get_workflow_version": "version",
    "create_run_queue_run_queue_post": "queue",
    "upload_file_file_upload_post": "upload",
}


class Service:
    """Runs are ``(time, id, inputs)`` and are listed from this time on.

    ``broken`` lists errors for the next requests of a route: an error in a tuple follows the execution.
    ``lateness`` is the time from the request for a run to its row.
    """

    def __init__(self, *runs, latency=0.0, dice=0.0, workflow="w", lateness=0.0):
        self.runs = list(runs)
        self.latency, self.dice, self.workflow, self.lateness = latency, dice, workflow, lateness
        self.broken = {}
        self.now = 0.0
        self.sent, self.slept, self.queued = [], [], []
        self.computed = 0

    def run(self, machine, deadline=None):
        steps = machine(Timeline(self.now, deadline))
        try:
            action = next(steps)
            while True:
                action = steps.send(Answer(self.carry_out(action), self.now, self.dice))
        except StopIteration as stop:
            return stop.value

    def carry_out(self, action):
        if isinstance(action, Sleep):
            assert action.seconds > 0
            self.slept.append(action.seconds)
            self.now += action.seconds
            return None
        if isinstance(action, Compute):
            self.computed += 1
            return action.work()
        assert isinstance(action, Send)
        assert action.seconds is None or action.seconds > 0
        name = NAMES[action.operation.id]
        self.sent.append((name, action))
        troubles = self.broken.get(name)
        trouble = troubles.pop(0) if troubles else None
        if trouble == HANG or (action.seconds is not None and self.latency > action.seconds):
            self.now += action.seconds
            return Failure(RequestTimeoutError("late", "unknown"))
        answer = getattr(self, f"_{name}")(action.argument) if trouble is None or type(trouble) is tuple else None
        self.now += self.latency
        if trouble is None:
            return Success(answer)
        return Failure(trouble[0] if type(trouble) is tuple else trouble)

    def _rows(self, argument):
        assert (argument["limit"], argument["with_outputs"], argument["with_inputs"]) == (20, False, True)
        listed = (
            [run for run in self.runs if (run[0] or 0) <= self.now] if argument["workflow_id"] == self.workflow else []
        )
        listed.sort(key=lambda run: -(run[0] or 0))
        return [row(*run) for run in listed[argument["offset"] :][:20]]

    def _deployment(self, argument):
        assert argument == {"deployment_id": "d"}
        return DeploymentModel(id="d", workflow_id=self.workflow)

    def _version(self, argument):
        assert argument == {"workflow_version_id": "v"}
        return DeploymentModel(id="v", workflow_id=self.workflow)

    def _queue(self, request):
        self.queued.append(request)
        run_id = f"new-{len(self.queued)}"
        self.runs.append((self.now + self.lateness, run_id, request["inputs"]))
        return CreateRunResponse(run_id=run_id)

    def _upload(self, _):
        return FileUploadResponse(file_url=f"https://files/{self.names.count('upload')}")

    @property
    def names(self):
        return [name for name, _ in self.sent]

    @property
    def offsets(self):
        return [action.argument["offset"] for name, action in self.sent if name == "rows"]


def row(at, run_id, inputs):
    """Return the row of a run that was created this many seconds after the beginning."""
    moment = None if at is None else BEGINNING + timedelta(seconds=at)
    return WorkflowRunRow(id=run_id, status="success", created_at=moment, workflow_inputs=inputs)
