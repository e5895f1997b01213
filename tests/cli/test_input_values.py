"""The values of ``-i``, by the types of a deployment's inputs."""

from pathlib import Path

import pytest

from comfydeploy._cli.input_values import input_values, json_value
from comfydeploy.models.deployment import DeploymentInput

INPUTS = [
    DeploymentInput(input_id="prompt", type="string", class_type="ComfyUIDeployExternalText"),
    DeploymentInput(input_id="seed", type="integer", class_type="ComfyUIDeployExternalSeed"),
    DeploymentInput(input_id="scale", type="float"),
    DeploymentInput(input_id="hires", type="boolean"),
    DeploymentInput(input_id="mode", type="string", enum_options=["fast", 2, True]),
    DeploymentInput(input_id="image", type="string", class_type="ComfyUIDeployExternalImage"),
    DeploymentInput(input_id="film", type="string", class_type="ComfyUIDeployExternalVideo"),
    DeploymentInput(input_id="images", type="string", class_type="ComfyUIDeployExternalImageBatch"),
    DeploymentInput(input_id="other", type="mask"),
]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"\x89PNG")
    (tmp_path / "words.txt").write_text("a cat\nat night\n", encoding="utf-8")
    (tmp_path / "seed.txt").write_text("7\n", encoding="utf-8")


def read(*given):
    return input_values(INPUTS, given)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("prompt=a cat", "a cat"),
        ("prompt=3", "3"),
        ("prompt=", ""),
        ("prompt=a=b", "a=b"),
        ("prompt=@@home", "@home"),
        ("prompt=a@b", "a@b"),
        ("prompt=@words.txt", "a cat\nat night\n"),
        ("seed=3", 3),
        ("seed=-3", -3),
        ("seed=2.5", 2.5),  # which the check refuses
        ("seed=many", "many"),
        ("seed=@seed.txt", 7),
        ("scale=2", 2),
        ("scale=.5", 0.5),
        ("hires=true", True),
        ("hires=No", False),
        ("hires=maybe", "maybe"),
        ("mode=fast", "fast"),
        ("mode=2", 2),
        ("mode=true", True),
        ("mode=slow", "slow"),
        ("image=@a.png", Path("a.png")),
        ("image=https://example.com/a.png", "https://example.com/a.png"),
        ("film=@a.png", Path("a.png")),
        ("images=@a.png", [Path("a.png")]),
        ('images=["https://example.com/a.png"]', '["https://example.com/a.png"]'),
        ("other=@a.png", Path("a.png")),
        ("other=2.5", 2.5),
        ("unlisted=@a.png", Path("a.png")),
        ("unlisted=3", 3),
        ("unlisted=true", True),
        ("unlisted=[1, 2]", [1, 2]),
        ("unlisted={}", "{}"),
        ("unlisted=null", "null"),
        ("unlisted=words", "words"),
    ],
)
def test_value(given, value):
    found = read(given).unwrap()[given.partition("=")[0]]
    assert (found, type(found)) == (value, type(value) if not isinstance(value, Path) else type(Path()))


def test_several_files():
    assert read("images=@a.png", "images=@b.png").unwrap() == {"images": [Path("a.png"), Path("b.png")]}
    mixed = read("images=@a.png", "images=https://example.com/b.png", "images=@@c").unwrap()
    assert mixed == {"images": [Path("a.png"), "https://example.com/b.png", "@c"]}
    assert read("images=https://a.example", "images=https://b.example").unwrap() == {
        "images": '["https://a.example", "https://b.example"]'
    }


def test_all_problems_are_named():
    error = read("prompt", "=3", "seed=1", "seed=2", "image=@none.png", "prompt=@none.txt", "scale=@a.png").failure()
    assert [problem.path for problem in error.problems] == [
        "$.inputs",
        "$.inputs",
        "$.inputs.seed",
        "$.inputs.image",
        "$.inputs.prompt",
        "$.inputs.scale",
    ]
    reasons = " ".join(problem.reason for problem in error.problems)
    for part in (
        "name=value, got 'prompt'",
        "given twice",
        "no file 'none.png'",
        "written with @@",
        "not text in UTF-8",
    ):
        assert part in reasons
    assert error.fate == "not_sent"


def test_values_of_json():
    image, prompt = INPUTS[5], INPUTS[0]
    assert json_value(image, "@a.png") == Path("a.png")
    assert json_value(prompt, "@@home") == "@home"
    assert json_value(prompt, "3") == "3"
    assert json_value(None, 3) == 3
