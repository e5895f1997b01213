"""The order of a user for a run: create it, follow it and save its files."""

from secrets import token_hex
from typing import Any, NamedTuple

from comfydeploy._cli.deployment_names import find_deployment
from comfydeploy._cli.exit_codes import Exit, exit_code
from comfydeploy._cli.input_values import input_values
from comfydeploy._cli.invocation import Session
from comfydeploy._cli.ledger import Cancelling, Ended, Idle, Running, facts
from comfydeploy._cli.output import Output
from comfydeploy._cli.progress import Progress
from comfydeploy._cli.records import Json, run_json
from comfydeploy._cli.saved_files import saved_before, saved_files
from comfydeploy._cli.sentences import output_texts, run_text
from comfydeploy._cli.time_left import TimeLeft
from comfydeploy._wire.fate import with_fate
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import Error
from comfydeploy.funcs.run_wait import run_wait
from comfydeploy.inputs import inputs_check, keyed
from comfydeploy.mapping import MapError
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.models.queued_once import QueuedOnce
from comfydeploy.models.run import WorkflowRunModel
from comfydeploy.options import RequestOptions
from comfydeploy.outcome import DeadlineExceeded, RunCancelled, RunFailed, RunTimedOut, WaitError
from comfydeploy.result import Failure, Result, Success

_AT_ONCE = 0.001  # seconds until the deadline of a wait that only cancels


class RunOrder(NamedTuple):
    """The order of a user."""

    deployment: str
    inputs: tuple[str, ...]
    folder: str | None
    is_detached: bool
    deadline: float | None
    is_cancelled_on_interrupt: bool
    key: str | None
    is_checked: bool


def carry_out(session: Session, order: RunOrder) -> Exit:
    """Create the run, print its id, follow it and save its files."""
    out, ledger, left = session.out, session.ledger, TimeLeft(order.deadline)
    ledger.state = Idle(creates_run=True)
    key = order.key or f"cli-{token_hex(8)}"
    with session.core() as core:
        with Progress(out, is_quiet=True) as progress:
            progress.say("reading the deployment")
            request = _request(core, order, left.options)
            if not isinstance(request, Success):
                return out.result(request, facts(ledger.state), creates_run=False)
            deployment, inputs = request.unwrap()
            ledger.plan(key, deployment.id)
            progress.say("creating the run")
            created = _created(core, order, deployment, inputs, key=key, left=left)
        if not isinstance(created, Success):
            return out.result(created, facts(ledger.state), creates_run=True)
        run_id = created.unwrap().run_id
        ledger.state = Running((run_id,))
        data: Json = {"key": key, "deployment_id": deployment.id, "run": None, "saved": []}
        try:
            out.line(run_id)
            out.event("created", run_id, {"key": key, "deployment_id": deployment.id, "found": created.unwrap().found})
            if not out.has_reader:
                out.note(f"Run {run_id}")
            if order.is_detached:
                return out.ended(Exit.OK, data, run_id=run_id)
            ended = _followed(out, core, run_id, left)
            if order.is_cancelled_on_interrupt and _is_late(ended):
                ended = _given_up(session, core, run_id)
            return _report_end(session, core, ended, data, folder=order.folder, left=left)
        except KeyboardInterrupt:
            if order.is_cancelled_on_interrupt and ledger.is_running:
                _given_up(session, core, run_id)
            raise


def _report_end(
    session: Session,
    core: ComfyDeployCore,
    ended: Result[WorkflowRunModel, WaitError],
    data: Json,
    *,
    folder: str | None,
    left: TimeLeft,
) -> Exit:
    """Save the files of a run that has ended, if they are to be saved, and report both."""
    out, run, least = session.out, end_of(ended), Exit.OK
    run_id = run.id if run else None
    if run is not None:
        data = {**data, "run": run_json(run)}
        if isinstance(ended, Success):
            out.note(run_text(run))
    if run is not None and run.is_ended:
        session.ledger.state = Ended(run.id, str(run.status))
        if folder is None:
            for file in run.files:
                out.row(file.filename, file.url)
            out.lines(output_texts(run))
        elif run.files:
            saved = saved_files(session.interrupts, core, run, folder, left.options)
            paths = [*(saved.unwrap() if isinstance(saved, Success) else saved_before(saved.failure()))]
            data = {**data, "saved": [str(path) for path in paths]}
            out.lines(data["saved"])
            if not isinstance(saved, Success):
                out.event("problem", run_id, error=saved.failure())
                out.problem(saved.failure())
                least = max(exit_code(saved, creates_run=False), Exit.INCOMPLETE)
    return out.result(ended, data, creates_run=False, run_id=run_id, least=least)


def end_of(ended: Result[WorkflowRunModel, MapError]) -> WorkflowRunModel | None:
    """Return the last state of a run whose wait has ended."""
    if isinstance(ended, Success):
        return ended.unwrap()
    error = ended.failure()
    return error.run if isinstance(error, RunFailed | RunCancelled | RunTimedOut | DeadlineExceeded) else None


def _request(
    core: ComfyDeployCore, order: RunOrder, options: RequestOptions | None
) -> Result[tuple[DeploymentModel, dict[str, Any]], Error]:
    """Return the deployment and the inputs, read by their types and checked."""
    found = find_deployment(core, order.deployment, options)
    if not isinstance(found, Success):
        return found
    deployment = found.unwrap()
    values = input_values(deployment.input_types, order.inputs)
    if not isinstance(values, Success):
        return values
    if order.is_checked:
        checked = inputs_check(deployment, values.unwrap())
        if not isinstance(checked, Success):
            return checked
    return Success((deployment, values.unwrap()))


def _created(
    core: ComfyDeployCore,
    order: RunOrder,
    deployment: DeploymentModel,
    inputs: dict[str, Any],
    *,
    key: str,
    left: TimeLeft,
) -> Result[QueuedOnce, Error]:
    """Create the run, or find the one with the user's key. A random key has no run, so there is no search for it."""
    request = {"deployment_id": deployment.id, "inputs": inputs}
    if order.key is not None:
        from comfydeploy.funcs.run_queue_once import run_queue_once

        cache = {deployment.id: deployment.workflow_id} if deployment.workflow_id else {}
        return run_queue_once(core, request, key, left.options, cache=cache)
    from comfydeploy.funcs.inputs_upload import inputs_upload
    from comfydeploy.funcs.run_queue import run_queue

    uploaded = inputs_upload(core, inputs, left.options)
    if not isinstance(uploaded, Success):
        return Failure(with_fate(uploaded.failure(), "not_sent"))
    marked = keyed({**request, "inputs": uploaded.unwrap()}, key)
    if not isinstance(marked, Success):
        return marked
    created = run_queue(core, marked.unwrap(), left.options)
    return Success(QueuedOnce(created.unwrap().run_id, found=False)) if isinstance(created, Success) else created


def _followed(out: Output, core: ComfyDeployCore, run_id: str, left: TimeLeft) -> Result[WorkflowRunModel, WaitError]:
    with Progress(out) as progress:
        progress.begin(run_id)

        def show(run: WorkflowRunModel) -> None:
            progress.show(run)
            out.event("update", run_id, run_json(run))

        return run_wait(core, run_id, left.options, on_update=show)


def _is_late(ended: Result[WorkflowRunModel, WaitError]) -> bool:
    return not isinstance(ended, Success) and isinstance(ended.failure(), DeadlineExceeded)


def _given_up(session: Session, core: ComfyDeployCore, run_id: str) -> Result[WorkflowRunModel, WaitError]:
    """Cancel a run, in at most 5 s, and return the result."""
    session.ledger.state = Cancelling((run_id,))
    ended = run_wait(core, run_id, RequestOptions(deadline=_AT_ONCE), on_abandon="cancel")
    run = end_of(ended)
    if run is not None and run.is_ended:
        session.ledger.state = Ended(run_id, str(run.status))
    return ended
