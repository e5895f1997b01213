"""Pictures overnight: each run is billed once, even if responses are lost, and each picture is saved to a file.

``python examples/overnight.py DEPLOYMENT_ID`` with the key in ``COMFYDEPLOY_API_KEY``. Started again, it goes on: a key
with a run gets no second one.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from comfydeploy import ComfyDeployCore, unwrap
from comfydeploy.funcs.file_download import file_download
from comfydeploy.funcs.run_queue_once import run_queue_once
from comfydeploy.funcs.run_wait import run_wait


def picture(core: ComfyDeployCore, deployment_id: str, folder: Path, seed: int) -> Path:
    request = {"deployment_id": deployment_id, "inputs": {"prompt": "a cat", "seed": seed}}
    once = unwrap(run_queue_once(core, request, f"cats-{seed}"))
    run = unwrap(run_wait(core, once.run_id))
    return unwrap(file_download(core, run.files[0], to=folder / f"cat-{seed}.png"))


def overnight(core: ComfyDeployCore, deployment_id: str, folder: Path, count: int = 50) -> list[Path]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(partial(picture, core, deployment_id, folder), range(count)))


if __name__ == "__main__":
    overnight(ComfyDeployCore(), sys.argv[1], Path())
