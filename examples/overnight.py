"""Pictures overnight: each run is billed once, through any crash, and each picture is saved to a file.

``python examples/overnight.py DEPLOYMENT_ID FOLDER`` with the key in ``COMFYDEPLOY_API_KEY``. Start it again after a
crash: what has ended is not run again, and runs that exist are followed to their ends.
"""

import sys

from comfydeploy import ComfyDeployCore, Failure, Success
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import grid


def overnight(core: ComfyDeployCore, deployment_id: str, folder: str) -> None:
    jobs = grid({"deployment_id": deployment_id}, {"prompt": ["a cat", "a dog"], "seed": range(10)})
    with run_map(core, jobs, journal=f"{folder}.sqlite", to=f"{folder}/{{prompt}}-{{seed}}{{suffix}}") as items:
        for item in items:
            match item.result:
                case Success():
                    print(item.key, *item.saved, flush=True)
                case Failure(error):
                    print(item.key, item.run_id, error, flush=True)


if __name__ == "__main__":
    overnight(ComfyDeployCore(), *sys.argv[1:])
