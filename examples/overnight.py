"""Pictures overnight: each run is billed once, through any crash, and each picture is saved to a file.

``python examples/overnight.py DEPLOYMENT_ID FOLDER`` with the key in ``COMFYDEPLOY_API_KEY``. Start it again after a
crash: what has ended is not run again, and runs that exist are followed to their ends.
"""

from sys import argv

from comfydeploy import ComfyDeployCore, Failure, Success
from comfydeploy.funcs.run_map import run_map
from comfydeploy.mapping import grid

jobs = grid({"deployment_id": argv[1]}, {"prompt": ["a cat", "a dog"], "seed": range(10)})
with run_map(ComfyDeployCore(), jobs, journal=argv[2] + ".sqlite", to=argv[2] + "/{prompt}-{seed}{suffix}") as items:
    for item in items:
        match item.result:
            case Success():
                print(item.key, *item.saved, flush=True)
            case Failure(error):
                print(item.key, item.run_id, error, flush=True)
