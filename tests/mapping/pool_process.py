"""A map whose jobs are carried out by a pool of processes, started again with a new pool until all jobs have ended.

It writes the ids of the processes of each pool, and at last the results, as lines of JSON.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path

from comfydeploy import ComfyDeployCore, RequestOptions, Success
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import grid


def say(**line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(order):
    jobs = grid({"deployment_id": order["deployment"]}, {"seed": range(order["jobs"])})
    named = {"journal": Path(order["folder"], "map.sqlite"), "to": Path(order["folder"], "out"), "grace": 0.5}
    with ComfyDeployCore(bearer=order["bearer"], server_url=order["url"]) as core:
        items = []
        while len(items) < order["jobs"] or any(item.index < 0 for item in items):
            pool = ProcessPoolExecutor(order["workers"], get_context(order["start"]))
            options = RequestOptions(timeout=10.0)
            with pool, run_map(core, jobs, options, executor=pool, at_once=6, post_limit=1.0, **named) as found:
                say(workers=[process.pid for process in active_children()])
                items = list(found)
        errors = [repr(item.result.failure()) for item in items if not isinstance(item.result, Success)]
        say(runs=[item.run_id for item in items], errors=errors, saved=sum(len(item.saved) for item in items))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
