"""A process that starts others to be killed. It has loaded all modules, so that a start is fast.

It reads orders as lines of JSON and answers each with the process id. The work of a process is done when its file
``ended`` exists; the file has the results of the program.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from comfydeploy import ComfyDeployCore, RequestOptions, Success
from comfydeploy._mapping import owners, sqlite
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import grid

try:
    from comfydeploy._mapping import postgres, postgres_connection, postgres_session
except ImportError:
    postgres = None

assert sqlite  # loaded before a process is started


def requests(order):
    return grid({"deployment_id": order["deployment"]}, {"seed": range(order["jobs"])})


def mapped(order):
    """Run the map; return the result of each job."""
    folder = Path(order["folder"])
    with ComfyDeployCore(bearer=order["bearer"], server_url=order["url"]) as core:
        items = run_map(
            core,
            requests(order),
            RequestOptions(timeout=10.0),
            name=order["name"],
            journal=order["journal"],
            to=folder / "out" / "{seed}{suffix}",
            at_once=order["at_once"],
            post_limit=order["post_limit"],
            grace=order["grace"],
        )
        found = []
        with items:
            for item in items:
                error = None if isinstance(item.result, Success) else repr(item.result.failure())
                found.append([item.index, item.run_id, [str(path) for path in item.saved], error])
        return {"items": found, "twins": len(items.twins)}


def looped(order):
    """Run the usual loop by hand: send again after errors, poll, download, and skip existing files."""
    folder = Path(order["folder"])
    (folder / "out").mkdir(exist_ok=True)
    with httpx.Client(headers={"authorization": f"Bearer {order['bearer']}"}, timeout=10.0) as client:

        def tried(method, path, **arguments):
            for attempt in range(8):
                try:
                    answer = client.request(method, path, **arguments)
                    answer.raise_for_status()
                except httpx.HTTPError:
                    time.sleep(0.01 * 2**attempt)
                else:
                    return answer
            raise RuntimeError("tried eight times")

        def one(request):
            path = folder / "out" / f"{request['inputs']['seed']}.png"
            if path.exists():
                return
            run_id = tried("POST", f"{order['url']}/run/queue", json=request).json()["run_id"]
            with (folder / "known").open("a") as known:
                known.write(f"{run_id}\n")
            while (run := tried("GET", f"{order['url']}/run/{run_id}").json())["status"] != "success":
                time.sleep(0.02)
            with path.open("wb") as file:
                file.write(tried("GET", run["outputs"][0]["data"]["images"][0]["url"]).content)

        with ThreadPoolExecutor(order["at_once"]) as pool:
            list(pool.map(one, requests(order)))
    return {}


def shorten(absence):
    """Take a process whose lock is missing for dead sooner, in the proportions of the map."""
    if postgres is not None:
        postgres_session.ABSENCE, postgres_session.FRESH = absence, absence / 2
        postgres.Postgres.renewal = absence / 4


def worked(order):
    folder = Path(order["folder"])
    ahead = order["ahead"]
    real = time.time
    time.time = lambda: real() + ahead  # the clock of this process is wrong
    if order["host"]:
        owners.machine = lambda: f"{order['host']}~0"
    shorten(order["absence"])
    if order["is_forgetful"]:
        postgres_connection._SETTINGS["synchronous_commit"] = "off"
        postgres_connection._DURABLE = "SELECT 1"
    if order["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], order["limit"]))
    try:
        found = (looped if order["plain"] else mapped)(order)
    except BaseException:
        # With a full disk the plain loop fails, as it would for its user.
        if not (order["limit"] and order["plain"]):
            Path(f"{folder}/failed-{os.getpid()}").write_text(traceback.format_exc())
        return
    if (order["limit"] or order["absence"]) and any(index < 0 for index, *_ in found.get("items", ())):
        return  # the map has failed, because the disk is full or the database is away
    part = folder / f"ended-{os.getpid()}"
    text = json.dumps(found)
    part.write_text(text)
    part.replace(order["ended"])


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # without waiting for them
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                worked(json.loads(line))
            finally:
                os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
