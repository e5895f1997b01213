"""The line of a run in progress, at any width."""

import pytest
from attrs import evolve

from comfydeploy._cli.progress_line import Watched, clock, progress_line, progress_lines, shortened
from comfydeploy.models.run import WorkflowRunModel

WAITING = WorkflowRunModel(id="r", status="not-started", queue_position=3, progress=0.0)
RUNNING = WorkflowRunModel(
    id="r", status="running", progress=0.4, live_status="Executing KSampler", started_at="2026-11-26T00:00:00Z"
)
LONG = evolve(RUNNING, live_status="Executing CLIPTextEncode")


@pytest.mark.parametrize(
    ("watched", "width", "line"),
    [
        (Watched(note="creating the run"), 80, "creating the run  0:07"),
        (Watched("1a2b", WAITING), 80, "1a2b  not-started  place 3 in the queue  0:07"),
        (Watched("", WAITING), 20, "not-started  place …"),
        (Watched("", RUNNING), 80, "running  KSampler  ━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌   40%  0:07"),
        (Watched("", RUNNING), 40, "running  KSampler   40%  0:07"),
        (Watched("", LONG), 30, "running  CLIPText…   40%  0:07"),
        (Watched("", RUNNING), 24, "running   40%  0:07"),
        (Watched("", RUNNING), 5, "runn…"),
        (Watched("", RUNNING), 0, ""),
    ],
)
def test_line(watched, width, line):
    assert progress_line(watched, 7.9, width) == line


def test_ascii():
    line = progress_line(Watched("", RUNNING), 0, 80, is_ascii=True)
    assert line == "running  KSampler  ########------------   40%  0:00"
    assert shortened("KSampler", 6, is_ascii=True) == "KSa..."


@pytest.mark.parametrize("width", range(60))
def test_never_wider_than_terminal(width):
    for run in (WAITING, RUNNING, None):
        assert len(progress_line(Watched("1a2b3c4d", run), 4000, width)) <= width


def test_many_runs():
    lines = progress_lines([Watched(str(number), WAITING) for number in range(20)], 0, 80, is_ascii=False)
    assert len(lines) == 16
    assert lines[-1] == "and 5 more"


def test_clock():
    assert [clock(seconds) for seconds in (0, 61.9, 3599, 3661)] == ["0:00", "1:01", "59:59", "1:01:01"]
