import json

import pytest

from comfydeploy._emulator.deployments.forms import ANY_FORM, LARGEST_BATCH
from comfydeploy._emulator.validation import UnprocessableError, validated_body

ID = "11110000-0000-4000-8000-000000000009"


def test_every_combination_of_batch_is_listed():
    body = {"deployment_id": ID, "inputs": {"w": 0, "s": 1}, "batch_input_params": {"w": [1, 2], "t": ["a", "b"]}}
    assert validated_body(ANY_FORM, json.dumps(body).encode(), "").combinations() == [
        {"w": 1, "s": 1, "t": "a"},
        {"w": 1, "s": 1, "t": "b"},
        {"w": 2, "s": 1, "t": "a"},
        {"w": 2, "s": 1, "t": "b"},
    ]


def test_batch_size_is_limited():
    def form(number):
        return validated_body(ANY_FORM, json.dumps({"deployment_id": ID, "batch_number": number}).encode(), "")

    assert len(form(LARGEST_BATCH).combinations()) == LARGEST_BATCH
    with pytest.raises(UnprocessableError):
        form(LARGEST_BATCH + 1).combinations()
