"""The four operations in use, as in a user's program."""

import time
from collections.abc import Sequence
from pathlib import Path, PurePath

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from comfydeploy import errors
from comfydeploy.core import ComfyDeployCore
from comfydeploy.errors import ComfyDeployError
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_stream import run_stream
from comfydeploy.funcs.run_sync import run_sync
from comfydeploy.models import (
    DeploymentRunRequest,
    EventUpdate,
    EventUpdateEvent,
    LogUpdateEvent,
    WorkflowRunOutputModel,
)
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Success
from comfydeploy.streaming import EventStream

_NO_RUN = "00000000-0000-4000-8000-000000000000"


def show(core: ComfyDeployCore, console: Console, folder: Path, *, quick: str, slow: str) -> bool:
    """Run the deployments ``quick`` and ``slow``, save the pictures below ``folder``; return whether all succeeded."""
    return (
        _queue_and_stream(core, console, folder, quick, slow)
        and _sync(core, console, folder, quick)
        and _error(core, console)
    )


def _queue_and_stream(core: ComfyDeployCore, console: Console, folder: Path, quick: str, slow: str) -> bool:
    match run_queue(core, DeploymentRunRequest(deployment_id=quick, inputs={"prompt": "a cat, queued", "seed": 1})):
        case Failure(error):
            return _failed(console, "run_queue", error)
        case Success(created):
            console.print(f"[bold]run_queue[/]   created run {created.run_id}")
    # While this one runs, follow another one.
    request = DeploymentRunRequest(deployment_id=slow, inputs={"prompt": "a cat, streamed", "seed": 2})
    match run_stream(core, request, RequestOptions(idle_timeout=600)):
        case Failure(error):
            return _failed(console, "run_stream", error)
        case Success(stream):
            run_id = _follow(stream, console)
    ids = [created.run_id] if run_id is None else [run_id, created.run_id]
    return all(_get(core, console, folder, run_id) for run_id in ids)


def _follow(stream: EventStream, console: Console) -> str | None:
    columns = (SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    count = 0
    with stream, Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("waiting for a machine", total=1.0)
        for item in stream:
            count += 1
            match item:
                case Success(EventUpdateEvent(data=EventUpdate(event="live_status", data=live))):
                    bar.update(task, description=escape(str(live["live_status"])), completed=live["progress"])
                case Success(EventUpdateEvent(data=update)):
                    bar.update(task, description=escape(update.event or "the graph is accepted"))
                case Success(LogUpdateEvent(data=line)):
                    bar.console.print(f"            {escape(line.logs)}", style="dim")
                case Success(_):
                    pass  # an event of a newer kind
                case Failure(problem):
                    bar.console.print(f"            {escape(str(problem))}", style="yellow")
    console.print(f"[bold]run_stream[/]  {count} events of run {stream.run_id}")
    return stream.run_id


def _get(core: ComfyDeployCore, console: Console, folder: Path, run_id: str) -> bool:
    while True:
        match run_get(core, run_id):
            case Failure(error):
                return _failed(console, "run_get", error)
            case Success(run) if run.is_ended:
                took = f"{run.duration or 0:.1f} s"
                console.print(f"[bold]run_get[/]     run {run.id}: [green]{run.status}[/] after {took}")
                return run.status == "success" and _save(run.outputs, console, folder)
            case Success(_):
                time.sleep(0.5)


def _sync(core: ComfyDeployCore, console: Console, folder: Path, deployment_id: str) -> bool:
    inputs = {"prompt": "a cat, waited for", "seed": 3, "width": 640, "height": 384}
    match run_sync(core, {"deployment_id": deployment_id, "inputs": inputs}):
        case Failure(error):
            return _failed(console, "run_sync", error)
        case Success(outputs):
            console.print(f"[bold]run_sync[/]    waited for {len(outputs)} output(s)")
            return _save(outputs, console, folder)


def _error(core: ComfyDeployCore, console: Console) -> bool:
    match run_get(core, _NO_RUN):
        case Failure(errors.SDKError(status_code=404) as error):
            console.print(
                f"[bold]an error[/]    is a value: {type(error).__name__}, status {error.status_code}: {error.detail}"
            )
            return True
        case Failure(error):
            return _failed(console, "run_get", error)
        case Success(run):
            console.print(f"[red]there is a run {run.id}[/]")
            return False


def _save(outputs: Sequence[WorkflowRunOutputModel], console: Console, folder: Path) -> bool:
    for run_id, item in [(output.run_id, item) for output in outputs for item in output.files]:
        # Only the last part of a name that the server chose.
        path = folder / f"{run_id[:8]}-{PurePath(item.filename).name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(httpx.get(item.url).raise_for_status().content)
        except (httpx.HTTPError, OSError) as error:
            console.print(f"[red]{escape(item.url)} cannot be saved: {escape(str(error))}[/]")
            return False
        console.print(f"            saved [cyan]{escape(str(path))}[/] ({path.stat().st_size:,} bytes)")
    return True


def _failed(console: Console, name: str, error: ComfyDeployError) -> bool:
    console.print(f"[bold red]{name}[/]: {escape(str(error))}")
    return False
