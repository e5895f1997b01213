"""OpenTelemetry, Sentry and Datadog record every call."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ways import WAYS

PACKAGES = {
    "opentelemetry": "opentelemetry.instrumentation.httpx",
    "sentry": "sentry_sdk",
    "ddtrace": "ddtrace.trace",
}
QUIET = {"DD_REMOTE_CONFIGURATION_ENABLED": "false", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"}


@cache
def observed(tool, url, bearer, deployment_id):
    script = Path(__file__).with_name("observers.py")
    command = [sys.executable, script, tool, url, bearer, deployment_id]
    done = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tool", PACKAGES)
def test_each_call_is_seen(tool, way, local, picture):
    pytest.importorskip(PACKAGES[tool])
    url = local["server_url"]
    assert observed(tool, url, local["bearer"], picture["deployment_id"])[way] == [
        ["POST", f"{url}/run/queue", 200],
        ["POST", f"{url}/run/stream", 200],
        ["GET", f"{url}/run/00000000-0000-4000-8000-000000000000", 404],
    ]
