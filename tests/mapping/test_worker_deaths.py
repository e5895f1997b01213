"""Maps in a pool of processes some of which are killed, over real sockets and files.

``python tests/mapping/test_worker_deaths.py`` kills hundreds of them, in some minutes.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from comfydeploy.emulator import Emulator

PROGRAM = Path(__file__).with_name("pool_process.py")
FAULTS = (
    {"reset": True},
    {"reset": True, "execute": True},
    {"status": 500, "execute": True},
    {"status": 503, "execute": True},
    {"status": 429},
)


def killed(folder, *, jobs, kills, seed, faults=0.0):
    """Run a map, kill workers, and return the counts of kills, runs paid, twice, lost and pictures missing."""
    dice, count = Random(seed), 0
    with Emulator(pace=0.02, seed=seed, cold_start=0) as server:
        for number in range(10 * jobs):
            if dice.random() < faults:
                server.fail("run_queue", times=1, after=number, **dice.choice(FAULTS))
        order = {
            "url": server.url,
            "bearer": server.bearer,
            "deployment": server.deployments["picture"],
            "folder": str(folder),
            "jobs": jobs,
            "workers": 3,
            "start": "fork" if hasattr(os, "fork") else "spawn",
        }
        command = [sys.executable, PROGRAM, json.dumps(order)]
        with started(command) as process:
            for text in process.stdout:
                line = json.loads(text)
                if "workers" in line and count < kills:
                    wait(server, dice)
                    with suppress(ProcessLookupError):
                        os.kill(dice.choice(line["workers"]), signal.SIGKILL)
                        count += 1
        assert line["errors"] == []
        by_seed = Counter(run.workflow_inputs["seed"] for run in server.runs)
        lost = sum(run.id not in line["runs"] for run in server.runs)
        return Counter(
            kills=count,
            runs=len(server.runs),
            twice=sum(by_seed.values()) - len(by_seed),
            lost=lost,
            missing=jobs - line["saved"],
        )


@contextmanager
def started(command):
    """Start a program, and end it with its workers where the test fails."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def wait(server, dice):
    """Wait until the server has received some more requests, and then for a random moment."""
    server.clear_requests()
    enough, until = dice.randrange(1, 20), time.monotonic() + 5
    while len(server.requests) < enough and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(dice.random() * 0.004)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_dead_workers_cost_no_run(tmp_path):
    counts = killed(tmp_path, jobs=6, kills=2, seed=1, faults=0.1)
    assert (counts["runs"], counts["twice"], counts["lost"], counts["missing"]) == (6, 0, 0, 0)


def main(rounds):
    for faults in (0.0, 0.2):
        counts = Counter()
        for seed in range(rounds):
            with TemporaryDirectory() as folder:
                counts += killed(folder, jobs=60, kills=40, seed=seed, faults=faults)
            shown = " ".join(f"{name} {counts[name]}" for name in ("kills", "runs", "twice", "lost", "missing"))
            sys.stdout.write(f"faults {faults:g}: jobs {60 * (seed + 1)} {shown}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
