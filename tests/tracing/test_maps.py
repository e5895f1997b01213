"""A span covers each job of a map and contains the spans of its run, also with calls in threads."""

from observation import parent_of

from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_map import run_map, run_map_async


def test_span_of_a_job(calls, observed):
    with Emulator(pace=0, port=None) as emulator:
        transports = {"transport": emulator.transport, "async_transport": emulator.async_transport}
        used = {"transport": emulator.transport, "async_transport": None} if not calls.awaited else transports
        core = calls.core(emulator.url, bearer=emulator.bearer, **used)
        jobs = [{"deployment_id": emulator.deployments["picture"]}]
        (item,) = calls.items((run_map_async if calls.awaited else run_map)(core, jobs))
    (job,) = observed.named("comfydeploy.job")
    (life,) = observed.named("comfydeploy.run")
    (queued,) = observed.named("POST /api/run/queue")
    assert parent_of(life, observed.spans) == parent_of(queued, observed.spans) == job
    assert life.attributes["comfydeploy.run.id"] == item.result.unwrap().id
    assert observed.points["comfydeploy.runs"] == [({"comfydeploy.run.outcome": "success"}, 1)]
