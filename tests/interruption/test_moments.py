"""A core that is closed, or a process that forks, while a call is under way; and what is dropped half used."""

import asyncio
import os

import pytest
from trials import Trial, counted
from work import WORK

_TRIED = 3

_SINGLE = {"run_get", "run_queue", "run_sync", "file_upload", "file_download"}
_ITERATED = {"run_stream", "run_logs_stream", "run_watch", "runs_list", "run_map"}
SINGLE = [work for work in WORK if work.name in _SINGLE and "busy" not in work.given]  # of one request
ITERATED = [work for work in WORK if work.name in _ITERATED]


@pytest.mark.parametrize("work", SINGLE, ids=repr)
def test_close_ends_a_call_with_its_fate(work, server, tmp_path):
    points = counted(work, server, tmp_path)
    for number in range(1, points + 1, points // _TRIED):
        trial = Trial(work, server, tmp_path)
        trial.close(number)
        assert trial.faults == [], number


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("work", SINGLE[:5], ids=repr)
def test_both_go_on_after_a_fork(work, server, tmp_path):
    points = counted(work, server, tmp_path)
    for number in range(1, points + 1, points // _TRIED):
        trial = Trial(work, server, tmp_path)
        trial.fork(number)
        assert trial.faults == [], number


@pytest.mark.parametrize("work", ITERATED, ids=repr)
def test_what_is_dropped_is_closed(work, server, tmp_path):
    trial = Trial(work, server, tmp_path)
    trial.drop()
    assert trial.faults == []


@pytest.mark.parametrize("work", ITERATED, ids=repr)
def test_what_is_dropped_is_closed_async(work, server, tmp_path):
    trial = Trial(work, server, tmp_path)
    with trial._watched():
        asyncio.run(trial.drop_async())
        trial._check_rest()
    assert trial.faults == []
