"""Maps on a cluster of Dask, with workers that are killed.

``python tests/ecosystem/test_dask.py`` runs sixty jobs with a map and with a plain ``client.map``, in some minutes.
"""

import os
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
import pytest

from comfydeploy import ComfyDeployCore, Success
from comfydeploy.emulator import Emulator
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import grid

# Otherwise each worker imports all of Dask. It is read when Dask is imported.
os.environ.setdefault("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")
distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")

QUIET = {
    "distributed.admin.log-length": 0,
    "distributed.comm.retry.count": 2,
    "distributed.scheduler.allowed-failures": 20,
    "distributed.comm.timeouts.connect": "120s",
    "distributed.deploy.lost-worker-timeout": "300s",  # a worker that is started again on a busy machine is no lost one
    "distributed.worker.daemon": True,
}


@contextmanager
def cluster(workers):
    """Start a scheduler here and workers in processes, which are started again when they die."""
    options = {"n_workers": workers, "threads_per_worker": 2, "dashboard_address": ":0", "silence_logs": 60}
    with (
        dask.config.set(QUIET),
        distributed.LocalCluster(**options) as local,
        distributed.Client(local) as client,
    ):
        yield client


@contextmanager
def killing(client, server, kills, seed):
    """Kill workers of a cluster while it works, each after some more requests."""
    dice, over, count = Random(seed), threading.Event(), []

    def kill():
        while len(count) < kills and not over.is_set():
            server.clear_requests()
            enough = dice.randrange(5, 40)
            while len(server.requests) < enough and not over.wait(0.002):
                pass
            with suppress(Exception):  # between two workers
                pid = dice.choice(list(client.run(os.getpid, on_error="ignore").values()))
                if not over.is_set():
                    os.kill(pid, signal.SIGKILL)
                    count.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield count
    finally:
        over.set()
        thread.join()


def drawn(url, bearer, folder, request):
    """Draw a picture as it is done by hand, in a task of Dask."""
    with httpx.Client(headers={"authorization": f"Bearer {bearer}"}, timeout=10.0) as client:
        run_id = client.post(f"{url}/run/queue", json=request).raise_for_status().json()["run_id"]
        while (run := client.get(f"{url}/run/{run_id}").raise_for_status().json())["status"] != "success":
            time.sleep(0.02)
        content = client.get(run["outputs"][0]["data"]["images"][0]["url"]).raise_for_status().content
        Path(folder, f"{request['inputs']['seed']}.png").write_bytes(content)
        return run_id


def by_hand(client, server, jobs, folder):
    """Draw all pictures with a plain ``client.map``."""
    return client.gather(client.map(partial(drawn, server.url, server.bearer, folder), list(jobs), pure=False))


def by_map(client, server, jobs, folder):
    """Draw all pictures with a map whose jobs are carried out by the workers."""
    named = {"journal": Path(folder, "map.sqlite"), "to": folder, "post_limit": 1, "grace": 0.5}
    with (
        ComfyDeployCore(bearer=server.bearer, server_url=server.url) as core,
        client.get_executor(pure=False) as executor,
        run_map(core, jobs, executor=executor, **named) as items,
    ):
        found = list(items.in_order())
    assert all(isinstance(item.result, Success) for item in found), found
    return [item.run_id for item in found]


def counted(way, *, jobs, kills, seed=0, workers=2):
    """Run jobs in a way while workers are killed; return the kills, and the runs paid, twice and lost."""
    with TemporaryDirectory() as folder, Emulator(pace=0.02, seed=seed, cold_start=0) as server:
        requests = grid({"deployment_id": server.deployments["picture"]}, {"seed": range(jobs)})
        with cluster(workers) as client, killing(client, server, kills, seed) as count:
            known = way(client, server, requests, folder)
        by_seed = Counter(run.workflow_inputs["seed"] for run in server.runs)
        twice, lost = len(server.runs) - len(by_seed), sum(run.id not in known for run in server.runs)
        assert len(list(Path(folder).glob("*.png"))) == jobs
        return Counter(kills=len(count), runs=len(server.runs), twice=twice, lost=lost)


def test_dead_workers_cost_no_run():
    counts = counted(by_map, jobs=8, kills=1)
    assert (counts["runs"], counts["twice"], counts["lost"]) == (8, 0, 0)


def main(rounds, *names):
    for way in [one for one in (by_map, by_hand) if one.__name__ in (names or one.__name__)]:
        counts = Counter()
        for seed in range(rounds):
            counts += counted(way, jobs=60, kills=6, seed=seed, workers=3)
        shown = " ".join(f"{name} {counts[name]}" for name in ("kills", "runs", "twice", "lost"))
        sys.stdout.write(f"{way.__name__}: jobs {60 * rounds} {shown}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1, *sys.argv[2:])
