"""Request models, and their missing fields."""

import pickle
import typing

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError

from comfydeploy.models import DeploymentRunRequest, RunRequest, WorkflowRunRequest, WorkflowRunVersionRequest

REQUIRED = {
    DeploymentRunRequest: {"deployment_id": "d"},
    WorkflowRunVersionRequest: {"workflow_version_id": "v"},
    WorkflowRunRequest: {"workflow_id": "w", "workflow_api_json": {"1": {}}},
}
every_form = pytest.mark.parametrize("form", REQUIRED)


@every_form
def test_optional_fields_may_be_missing(form):
    request = form(**REQUIRED[form])
    others = {field.name for field in fields(form)} - REQUIRED[form].keys()
    assert {getattr(request, name) for name in others} == {None}


@every_form
@pytest.mark.parametrize("left_out", range(2))
def test_required_fields_cannot_be_missing(form, left_out):
    given = dict(list(REQUIRED[form].items())[left_out + 1 :])
    with pytest.raises(TypeError, match="missing"):
        form(**given)


@every_form
def test_request_is_value_that_cannot_be_changed(form):
    request = form(**REQUIRED[form], inputs={"a": [1]})
    assert pickle.loads(pickle.dumps(request)) == request
    with pytest.raises(FrozenInstanceError):
        request.inputs = {}


@every_form
def test_request_is_made_by_name(form):
    with pytest.raises(TypeError):
        form("d")
    with pytest.raises(TypeError):
        form(**REQUIRED[form], imputs={})


def test_three_forms_are_all_there_are():
    assert set(typing.get_args(RunRequest)) == set(REQUIRED)
