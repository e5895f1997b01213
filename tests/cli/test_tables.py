"""Rows in a pipe, in a terminal, and in a narrow one."""

from comfydeploy._cli.sentences import input_lines
from comfydeploy._cli.tables import row, table
from comfydeploy.models.deployment import DeploymentInput

HEAD = ("run", "status", "workflow")
ROWS = [["0c1d", "success", "a\tb\nc"], ["3f0f1c9e", "failed", ""]]


def test_pipe():
    assert table(HEAD, ROWS, None) == ["0c1d\tsuccess\ta b c", "3f0f1c9e\tfailed"]
    assert row(["a", "", "c"], None) == ["a\t\tc"]


def test_terminal():
    assert table(HEAD, ROWS, 80) == [
        "run       status   workflow",
        "0c1d      success  a b c",
        "3f0f1c9e  failed",
    ]
    assert row(["a", "", "c"], 80) == ["a  c"]
    assert table(HEAD, [], 80) == []


def test_narrow_terminal():
    assert table(HEAD, ROWS, 16) == ["0c1d", "  success  a b c", "3f0f1c9e", "  failed"]
    assert row(["0c1d2e3f", "success", "a b c"], 16) == ["0c1d2e3f", "  success  a b c"]
    assert row(["0c1d2e3f0c1d2e3f0"], 16) == ["0c1d2e3f0c1d2e3f0"]


def test_inputs():
    inputs = [
        DeploymentInput(input_id="seed", type="integer", min_value=0, default_value=7, description="of the noise"),
        DeploymentInput(input_id="mode", enum_options=["fast", 2], default_value="fast"),
        DeploymentInput(input_id="size", type="float", max_value=2.5),
        DeploymentInput(input_id="any"),
    ]
    assert input_lines(inputs, 80) == [
        "  seed  integer from 0  7     of the noise",
        "  mode  fast | 2        fast",
        "  size  float to 2.5",
        "  any   any",
    ]
    assert input_lines(inputs, None)[0] == " \tseed\tinteger from 0\t7\tof the noise"
    assert input_lines(inputs, 30)[0] == "  seed  integer from 0  7  of the noise"
