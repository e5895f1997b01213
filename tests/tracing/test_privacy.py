"""No span, metric or log record has inputs, the token, or the query of an address."""

import logging

import pytest
from observation import BROKEN, QUEUED, SUCCESS, Service

from comfydeploy import RequestOptions, RetryConfig, Success

ORDER = {
    "deployment_id": "d",
    "inputs": {"prompt": "5ec2e7-prompt"},
    "webhook": "https://me.invalid/hook?webhook_token=5ec2e7-proof",
}


@pytest.mark.usefixtures("no_time")
def test_no_inputs_token_or_proof(calls, observed, caplog):
    caplog.set_level(logging.INFO, "comfydeploy")
    echoed = (401, {"detail": "the key 5ec2e7-key is revoked"})
    for answers in ((QUEUED, BROKEN, SUCCESS), (echoed,)):
        core = calls.core("https://user.invalid/api", transport=Service(*answers), bearer="5ec2e7-key")
        result = calls("run_queue_and_wait", core, ORDER, RequestOptions(retries=RetryConfig()))
        assert isinstance(result, Success) == (answers != (echoed,))
    assert "POST /api/run/queue" in observed.text
    assert "r was created" in caplog.text
    assert "5ec2e7" not in observed.text + caplog.text + "".join(str(vars(record)) for record in caplog.records)
