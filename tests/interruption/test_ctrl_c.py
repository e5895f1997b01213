"""After Ctrl-C at some points of each kind of work nothing is left; ``python tests/interruption`` tries all points."""

import pytest
from trials import Trial, counted
from work import WORK

_TRIED = 3


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning", "ignore::ResourceWarning")  # made, and not yet used
@pytest.mark.parametrize("work", WORK, ids=repr)
def test_ctrl_c_leaves_nothing(work, server, tmp_path):
    points = counted(work, server, tmp_path)
    assert points > 100
    for number in range(1, points + 1, points // _TRIED):
        trial = Trial(work, server, tmp_path)
        trial.interrupt(number)
        assert trial.faults == [], number
