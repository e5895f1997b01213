"""Make the pictures of the README anew: ``python docs/pictures/make.py``, with Playwright and a Chromium."""

import shutil
import time
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

from comfydeploy import ComfyDeploy
from comfydeploy.emulator import Emulator

_FOLDER: Final = Path(__file__).parent
_PROMPTS: Final = ("two herons", "a red bicycle", "a lighthouse at dusk")


def main() -> None:
    """Run some runs, save the picture of the last one, and take a picture of the page while one more is running."""
    with (
        Emulator(port=3011, bearer="local-key", seed=1) as emulator,
        ComfyDeploy(bearer=emulator.bearer, server_url=emulator.url) as client,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        picture, failing, slow = (emulator.deployments[name] for name in ("picture", "failing", "slow"))
        for seed, prompt in enumerate(_PROMPTS):
            client.run.queue_and_wait({"deployment_id": picture, "inputs": {"prompt": prompt, "seed": seed}})
        client.run.queue({"deployment_id": failing, "inputs": {"prompt": "a cat of 20,000 pixels"}})
        run = client.run.queue_and_wait({"deployment_id": picture, "inputs": {"prompt": "a cat", "seed": 3}})
        client.run.queue({"deployment_id": slow, "inputs": {"prompt": "a slow cat"}})
        (saved,) = client.run.download(run, to=_FOLDER, name="cat{suffix}")
        time.sleep(5)  # until the slow run is halfway
        for scheme, name in (("light", "page.png"), ("dark", "page-dark.png")):
            page = browser.new_page(viewport={"width": 960, "height": 600}, color_scheme=scheme)
            page.goto(emulator.url.removesuffix("api"))
            page.wait_for_selector("img")
            page.wait_for_timeout(500)
            page.screenshot(path=_FOLDER / name)
            _reduce(_FOLDER / name, (960, 600))
        _reduce(saved, (256, 256))


def _reduce(path: Path, size: tuple[int, int]) -> None:
    """Make a picture small: a visitor of the README loads it, and git keeps each version."""
    with Image.open(path) as picture:
        picture.convert("RGB").resize(size).quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
