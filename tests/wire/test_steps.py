"""The arguments of the steps of a wait."""

from datetime import UTC, datetime

import pytest

from comfydeploy._wire.steps import Cancel, Poll, ReadLogs, ReadNewerRows, ReadRows

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        (Poll(queue_position=True, seconds=1.0), {"run_id": "r", "queue_position": True}),
        (Poll(queue_position=False, seconds=1.0), {"run_id": "r", "queue_position": None}),
        (ReadLogs(1.0), {"run_id": "r"}),
        (Cancel(1.0), {"run_id": "r"}),
        (
            ReadRows("w", 5, 10, 1.0),
            {"workflow_id": "w", "limit": 5, "offset": 10, "with_outputs": True, "with_inputs": False},
        ),
        (
            ReadNewerRows("w", NOON, 100, 200, 1.0),
            {"workflow_id": "w", "limit": 100, "offset": 200, "rf": NOON, "status": None, "deployment_id": None},
        ),
    ],
)
def test_arguments_of_operation(step, arguments):
    assert step.arguments("r") == arguments
