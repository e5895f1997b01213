"""The jobs of a file, run and resumed with a journal."""

from collections import Counter
from typing import NamedTuple

from comfydeploy._cli.deployment_names import find_deployment
from comfydeploy._cli.exit_codes import Exit, exit_code
from comfydeploy._cli.invocation import Session
from comfydeploy._cli.job_files import read_jobs
from comfydeploy._cli.ledger import Idle, Journaled
from comfydeploy._cli.output import Output
from comfydeploy._cli.progress import Progress
from comfydeploy._cli.records import Json, run_json
from comfydeploy._cli.run_order import end_of
from comfydeploy._mapping.addresses import shown_journal
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import MapItem, contact_sheet
from comfydeploy.models.deployment import DeploymentModel
from comfydeploy.options import RequestOptions
from comfydeploy.result import Failure, Success


class MapOrder(NamedTuple):
    """What the user has ordered."""

    jobs: str
    journal: str
    name: str | None
    deployment: str | None
    pattern: str | None
    at_once: int
    max_runs: int | None
    attempts: int
    deadline: float | None
    is_checked: bool
    sheet: str | None


def carry_out(session: Session, order: MapOrder) -> Exit:
    """Run the jobs, report each, and write the sheet."""
    out, ledger = session.out, session.ledger
    ledger.state = Idle(creates_run=True)
    with session.core() as core:
        deployment: DeploymentModel | None = None
        if order.deployment is not None:
            found = find_deployment(core, order.deployment)
            if not isinstance(found, Success):
                return out.result(found, creates_run=False)
            deployment = found.unwrap()
        jobs = read_jobs(order.jobs, deployment)
        counts, codes = Counter[str](), {Exit.OK}
        ledger.state = Journaled(shown_journal(order.journal))
        with (
            Progress(out, is_quiet=True) as progress,
            run_map(
                core,
                jobs,
                RequestOptions(deadline=order.deadline),
                name=order.name,
                journal=order.journal,
                to=order.pattern,
                at_once=order.at_once,
                attempts=order.attempts,
                max_runs=order.max_runs,
                check=order.is_checked,
            ) as items,
        ):
            progress.say(f"0 of {len(jobs)}")
            for item in items:
                if item.index < 0:
                    return out.result(item.result, creates_run=False)
                code = exit_code(item.result, creates_run=True)
                codes.add(code)
                counts[code.word] += 1
                with progress.paused():
                    _report(out, item, code)
                progress.say(f"{counts.total()} of {len(jobs)}  {_summary(counts)}")
    out.note(f"{counts.total()} of {len(jobs)} jobs: {_summary(counts)}")
    data: Json = {"journal": shown_journal(order.journal), "jobs": len(jobs), "outcomes": {**counts}, "sheet": None}
    if order.sheet is not None:
        written = contact_sheet(order.journal, order.sheet, name=order.name)
        if not isinstance(written, Success):
            return out.result(written, data, creates_run=False, least=max(codes))
        data["sheet"] = str(written.unwrap())
        out.note(f"The results are in {written.unwrap()}")
    return out.ended(max(codes), data)


def _report(out: Output, item: MapItem, code: Exit) -> None:
    error = item.result.failure() if isinstance(item.result, Failure) else None
    run = end_of(item.result)
    out.row(item.key, code.word, item.run_id or "", *map(str, item.saved))
    out.event(
        "job",
        item.run_id,
        {
            "index": item.index,
            "key": item.key,
            "attempt": item.attempt,
            "exit_code": int(code),
            "saved": [str(path) for path in item.saved],
            "run": run_json(run) if run else None,
        },
        error,
    )
    if error is not None:
        out.note(f"Job {item.key}: {error.message}")


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
