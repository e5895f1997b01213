"""The contents of the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request

from comfydeploy._emulator.backend import Backend
from comfydeploy._emulator.deployments.catalogue import NotFoundError
from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.faults.faults import Faults
from comfydeploy._emulator.page import snippets
from comfydeploy._emulator.page.columns import columns, compared_inputs
from comfydeploy._emulator.page.fault_fields import FAULT_FIELDS, USUAL_FAULT_FIELDS, fault_options
from comfydeploy._emulator.page.fields import Field, input_fields
from comfydeploy._emulator.page.filters import AGES, VIEWS, Filter
from comfydeploy._emulator.page.reasons import reason
from comfydeploy._emulator.page.templates import templates
from comfydeploy._emulator.page.views import RunView
from comfydeploy._emulator.quirks.addresses import signed_address
from comfydeploy._emulator.quirks.catalogue import Quirk
from comfydeploy._emulator.runs.run import STATUSES, Run
from comfydeploy._emulator.web import requests

MOST_COMPARED: Final = 4
_OURS: Final = " \N{MIDDLE DOT} comfydeploy"


@dataclass(frozen=True)
class View:
    """The content of a page at one moment, and the address of its stream, if it has one."""

    title: str
    content: str
    events: str = ""
    status: int = 200
    tab: str = ""
    """The address of the part of the page that it belongs to."""


@dataclass(frozen=True)
class Filled:
    """A form as it was sent, with what is wrong with it, by the names of its fields; "" is the form itself."""

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    errors: Mapping[str, str] = field(default_factory=dict[str, str])


class Contents:
    """Writes the contents of the pages; their forms have ``token``."""

    def __init__(self, backend: Backend, faults: Faults, token: str, example_key: str) -> None:
        self._backend: Final = backend
        self._faults: Final = faults
        self._token: Final = token
        self._example_key: Final = example_key

    def overview(self, request: Request) -> View:
        """Show the runs that the query of the address chooses."""
        store, deployments = self._backend.store, self._backend.catalogue.all()
        chosen = Filter.of(request.query_params)
        criteria = chosen.criteria(deployments, self._backend.clock.now())
        counts = store.statuses(criteria)
        found = counts.get(chosen.status, 0) if chosen.status else sum(counts.values())
        runs = store.search(criteria, chosen.size, (chosen.page - 1) * chosen.size)
        content = self._render(
            "overview.html",
            runs=[self._seen(run, deployments) for run in runs],
            columns=columns(runs),
            chosen=chosen,
            found=found,
            pages=max(1, -(-found // chosen.size)),
            statuses=[(one, counts.get(one, 0)) for one in STATUSES if counts.get(one) or one == chosen.status],
            total=sum(counts.values()),
            views=VIEWS,
            ages=AGES,
            deployments=deployments,
            deployment_id=next((one.id for one in deployments if one.title == chosen.deployment), None),
            example=self._snippets(deployments[0], request, input_fields(deployments[0].input_types)),
        )
        title = f"{chosen.status} runs" if chosen.status in STATUSES else "Runs"
        return View(title + _OURS, content, f"/page/events?{chosen.query(page=chosen.page)}", tab="/")

    def run(self, request: Request) -> View:
        """Show a run."""
        run_id = requests.uuid_or_text(request.path_params["run_id"])
        events = f"/page/events/{quote(run_id, safe='')}"
        run = self._backend.store.run(run_id)
        if not run:
            return self.missing("run", run_id, events)
        live = self._backend.machine.log(run_id)
        lines = live.lines if live else self._backend.store.log(run_id)
        history = self._backend.feed.history(run_id)
        deployments = self._backend.catalogue.all()
        view = self._seen(run, deployments)
        content = self._render(
            "run.html",
            view=view,
            run=run,
            history=history,
            lines=lines,
            reason=reason(run, lines),
            deployment=_deployment(run, deployments),
            deliveries=[one for one in self._backend.deliveries.all() if one.run_id == run_id],
        )
        return View(f"{run.status} \N{MIDDLE DOT} {view.name}", content, events)

    def comparison(self, request: Request) -> View:
        """Show runs side by side."""
        given = map(requests.uuid_or_text, request.query_params.getlist("run"))
        ids = list(dict.fromkeys(given))[:MOST_COMPARED]
        found = [run for one in ids if (run := self._backend.store.run(one))]
        deployments = self._backend.catalogue.all()
        content = self._render(
            "comparison.html",
            runs=[self._seen(run, deployments) for run in found],
            inputs=compared_inputs(found),
            missing=len(ids) - len(found),
        )
        return View(
            f"Comparison{_OURS}",
            content,
            f"/page/events/comparison?{urlencode([('run', one) for one in ids])}",
            tab="/",
        )

    def deployments(self, _: Request) -> View:
        """Show the deployments."""
        deployments = [(one, input_fields(one.input_types)) for one in self._backend.catalogue.all()]
        return View(
            f"Deployments{_OURS}", self._render("deployments.html", deployments=deployments), tab="/deployments"
        )

    def deployment(self, request: Request, filled: Filled | None = None) -> View:
        """Show a deployment with its form: filled in as it was sent, or as the run that the query names."""
        deployment_id = request.path_params["deployment_id"]
        try:
            deployment = self._backend.catalogue.find("id", deployment_id, "")
        except NotFoundError:
            return self.missing("deployment", deployment_id)
        fields = input_fields(deployment.input_types)
        run = self._backend.store.run(requests.uuid_or_text(request.query_params.get("run", "")))
        inputs = run.workflow_inputs if run else {}
        filled = filled or Filled({one.name: one.written(inputs.get(one.name, one.default)) for one in fields})
        content = self._render(
            "deployment.html",
            deployment=deployment,
            fields=fields,
            filled=filled,
            base=requests.base(request),
            example=self._snippets(deployment, request, fields),
        )
        return View(deployment.title + _OURS, content, status=422 if filled.errors else 200, tab="/deployments")

    def switches(self, _: Request, filled: Filled | None = None) -> View:
        """Show the quirks and the faults."""
        filled = filled or Filled({"operation": "*"})
        content = self._render(
            "switches.html",
            quirks=list(Quirk),
            active=self._backend.quirks,
            faults=[(one.operation or "*", fault_options(one)) for one in self._faults.pending],
            operation=Field("operation", "choice", "Operation", "Which calls meet it.", "*", options=self._operations),
            fields=USUAL_FAULT_FIELDS,
            more_fields=[one for one in FAULT_FIELDS if one not in USUAL_FAULT_FIELDS],
            filled=filled,
            opens_more=any(one.name in filled.errors for one in FAULT_FIELDS if one not in USUAL_FAULT_FIELDS),
        )
        return View(f"Quirks and faults{_OURS}", content, status=422 if filled.errors else 200, tab="/switches")

    def missing(self, kind: str, name: str, events: str = "") -> View:
        """Say that something does not exist."""
        return View(f"No such {kind}{_OURS}", self._render("missing.html", kind=kind, name=name), events, 404)

    def refused(self, title: str, reason: str, status: int) -> View:
        """Say why a form was not accepted."""
        return View(title + _OURS, self._render("refused.html", title=title, reason=reason), "", status)

    def document(self, view: View, request: Request) -> str:
        """Write the whole page of a view."""
        return self._render("layout.html", view=view, base=requests.base(request))

    @property
    def _operations(self) -> tuple[str, ...]:
        return ("*", *self._faults.operations)

    def _seen(self, run: Run, deployments: list[Deployment]) -> RunView:
        found = _deployment(run, deployments)
        # A kept run may be of a deployment that this server does not have.
        name = found.title if found else "unknown"
        return RunView(run, name, self._backend.clock.now(), self._backend.feed.history(run.id), self._address)

    def _address(self, url: str) -> str:
        if Quirk.EXPIRING_ADDRESSES not in self._backend.quirks:
            return url
        now = self._backend.clock.now()
        # The same for some minutes, so that the page does not change all the time.
        return signed_address(url, now.replace(minute=now.minute // 10 * 10, second=0))

    def _snippets(self, deployment: Deployment, request: Request, fields: Sequence[Field]) -> dict[str, str]:
        inputs = {one.name: one.default for one in fields if one.default not in (None, "") and one.default is not False}
        given = (f"{requests.base(request)}api", self._example_key, deployment.id, inputs)
        return {"Python": snippets.python(*given), "curl": snippets.curl(*given)}

    def _render(self, template: str, /, **values: Any) -> str:
        return templates().get_template(template).render(values, token=self._token)


def _deployment(run: Run, deployments: list[Deployment]) -> Deployment | None:
    by_id = next((one for one in deployments if one.id == run.deployment_id), None)
    return by_id or next((one for one in deployments if one.workflow_id == run.workflow_id), None)
