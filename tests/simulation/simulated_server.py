"""A server that creates runs, lists them, lets them live and ends them, by a simulated clock."""

import json
from bisect import insort
from datetime import UTC, datetime, timedelta
from itertools import islice

from comfydeploy._wire.keys import KEY_INPUT

BEGINNING = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)
WORKFLOW, DEPLOYMENT = "w", "d"
ON_THE_WAY = ("not-started", "queued", "running")
JSON = {"content-type": "application/json"}
NOT_FOUND = 404, JSON, b'{"detail": "Run not found"}'
EMPTY = 200, JSON, b"[]"
CREATED = '{{"run_id": "{}"}}'
STATE = '"id": "{}", "status": "{}", "workflow_id": "w", "created_at": "{}", "progress": {}, "outputs": {}'
OUTPUT = '[{{"id": "o-{0}", "run_id": "{0}", "data": {{"images": []}}}}]'


class Run:
    """A run: when it was created, is listed, begins and ends; and how it ends."""

    __slots__ = ("begins", "created", "ends", "final", "id", "inputs", "key", "listed", "moment")

    def __init__(self, id_, inputs, *, created, listed, begins, ends, final):
        self.id, self.created, self.listed, self.begins, self.ends = id_, created, listed, begins, ends
        self.final, self.inputs, self.key = final, json.dumps(inputs), inputs.get(KEY_INPUT)
        self.moment = (BEGINNING + timedelta(seconds=created)).isoformat()

    def status(self, now):
        if now >= self.ends:
            return self.final
        return ON_THE_WAY[(now >= self.begins) + (now >= (self.begins + self.ends) / 2)]

    def state(self, now):
        """Return the fields of the run as JSON, without braces."""
        status = self.status(now)
        outputs = OUTPUT.format(self.id) if status == "success" else "[]"
        progress = 1 if status == "success" else {"running": 0.5}.get(status, 0)
        return STATE.format(self.id, status, self.moment, progress, outputs)


class Server:
    """Answers requests. ``kept`` are the runs, also those that are not listed yet; ``watched`` is called with each."""

    def __init__(self, world, watched=lambda run: None):
        self._world = world
        self._watched = watched
        self.runs = {}
        self._listed = []  # by time, newest first
        for index in range(world.choices.of((0, 1, 25, 45))):  # of others
            self._keep(
                Run(
                    f"other-{index}",
                    {},
                    created=-300.0 * (index + 1),
                    listed=0.0,
                    begins=0.0,
                    ends=0.0,
                    final="success",
                )
            )

    def _keep(self, run):
        self.runs[run.id] = run
        insort(self._listed, run, key=lambda one: -one.created)
        return run

    def answer(self, request, lateness=0.0):
        """Execute a request now: return the status code, headers and body of its response.

        A new run is shown only some time later.
        """
        path, _, query = request.url.partition("/api")[2].partition("?")
        parts = path.split("/")
        if request.method == "POST":
            return (
                self._created(json.loads(request.content), lateness)
                if parts[2] == "queue"
                else self._cancelled(parts[2])
            )
        if parts[1] == "run":
            return self._read(parts[2])
        if parts[1] == "deployment":
            return 200, JSON, b'{"id": "d", "workflow_id": "w"}'
        return EMPTY if "clickhouse" in path else self._page(dict(one.split("=") for one in query.split("&")))

    def create(self, inputs, lateness=0.0):
        """Create a run."""
        choices, now = self._world.choices, self._world.now
        begins = now + choices.of((1, 0, 8, 40))
        ends = begins + choices.of((5, 0.3, 1, 30, 200))
        final = choices.of(("success", "success", "failed", "timeout", "cancelled"))
        name = f"run-{len(self.runs)}"
        run = self._keep(Run(name, inputs, created=now, listed=now + lateness, begins=begins, ends=ends, final=final))
        self._world.note("%s is created for %s; it ends at %.3f: %s", run.id, inputs, ends, final)
        self._watched(run)
        return run

    def _created(self, request, lateness):
        return 200, JSON, CREATED.format(self.create(request["inputs"], lateness).id).encode()

    def _cancelled(self, run_id):
        run, now = self.runs.get(run_id), self._world.now
        if run is None:
            return 500, JSON, b'{"detail": "Error cancel function 404"}'
        if now < run.ends:
            run.ends, run.final = now, "cancelled"
            self._world.note("%s is cancelled", run_id)
        return 200, JSON, b'{"status": "success"}'

    def _read(self, run_id):
        run = self.runs.get(run_id)
        return NOT_FOUND if run is None else (200, JSON, f"{{{run.state(self._world.now)}}}".encode())

    def _page(self, query):
        now, skipped = self._world.now, int(query["offset"])
        since, status = int(query.get("rf", -1)), query.get("status")
        listed = (
            run
            for run in self._listed
            if run.listed <= now
            and (since < 0 or BEGINNING.timestamp() + run.created >= since)
            and status in (None, run.status(now))
        )
        rows = islice(listed, skipped, skipped + int(query["limit"]))
        texts = (f'{{{run.state(now)}, "workflow_inputs": {run.inputs}}}' for run in rows)
        return 200, JSON, f"[{', '.join(texts)}]".encode()

    def of_key(self, key):
        """Return all runs with a key."""
        return [run for run in self.runs.values() if run.key == key]
