"""Times are read while a test has frozen the time, which replaces the class ``datetime``."""

import subprocess
import sys
from datetime import UTC, datetime

import freezegun
import pytest

from comfydeploy._wire.codec import read
from comfydeploy._wire.field_readers import reader
from comfydeploy._wire.field_types import is_moment
from comfydeploy._wire.structure import converter
from comfydeploy.models import WorkflowRunModel
from comfydeploy.webhooks import webhook_parse

MOMENT = "2026-01-02T03:04:05Z"
OUTPUT = '{"id": "o", "run_id": "r", "data": {}, "created_at": "' + MOMENT + '"}'
BODY = '{"run_id": "r", "status": "success", "outputs": [' + OUTPUT + "]}"


@pytest.fixture(autouse=True)
def _first_use():
    """Read as a new process does."""
    reader.cache_clear()
    converter.cache_clear()
    yield
    reader.cache_clear()
    converter.cache_clear()


@pytest.mark.parametrize("is_exact", [True, False], ids=["readers", "rules"])
def test_model_is_read(is_exact):
    document = {"id": "r", "status": "queued", "created_at": MOMENT, "outputs": [] if is_exact else None}
    with freezegun.freeze_time("2030-01-01"):
        run = read(document, WorkflowRunModel, "run")
    assert run.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_webhook_keeps_its_outputs():
    with freezegun.freeze_time("2030-01-01"):
        assert len(webhook_parse("POST", {}, BODY).unwrap().outputs) == 1


def test_type_is_known_under_either_class():
    with freezegun.freeze_time("2030-01-01"):
        frozen = sys.modules[__name__].datetime
        assert is_moment(frozen | None)
    assert is_moment(frozen)
    assert is_moment(datetime)
    assert not is_moment(str | None)


def test_model_loaded_in_frozen_time():
    code = (
        "import freezegun\n"
        "with freezegun.freeze_time('2030-01-01'):\n"
        "    from comfydeploy.webhooks import webhook_parse\n"
        f"body = {BODY!r}\n"
        "assert len(webhook_parse('POST', {}, body).unwrap().outputs) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
