import io

import pytest
from PIL import Image

from comfydeploy._emulator.machine.pictures import draw


def opened(**inputs) -> Image.Image:
    picture = Image.open(io.BytesIO(draw(inputs)))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (640, 360, (640, 360)),
        (16, 16, (16, 16)),
        ("96", 97.9, (96, 97)),
        (1, -7, (16, 16)),
        (5000, 10**400, (2048, 512)),
        (None, "tall", (512, 512)),
    ],
)
def test_picture_has_requested_size(width, height, size):
    picture = opened(width=width, height=height, prompt="words")
    assert (picture.format, picture.size) == ("PNG", size)


def test_same_inputs_draw_same_picture():
    assert draw({"seed": 7, "prompt": "a"}) == draw({"seed": 7, "prompt": "a"})


def test_seed_and_prompt_change_picture():
    pictures = {draw({"seed": seed, "prompt": prompt}) for seed in (1, 2) for prompt in ("a", "b")}
    assert len(pictures) == 4


def test_prompt_is_wrapped_and_cut():
    assert opened(width=64, height=64, prompt="word " * 1000).size == (64, 64)
    assert opened(width=64, height=64, prompt="w" * 10_000).size == (64, 64)
