"""Parameters of routes; an invalid one is named before sending."""

import pytest

from comfydeploy._wire.route import FLAG, TEXT, at_least, posting, route
from comfydeploy.errors import SDKValidationError
from comfydeploy.models import CreateSessionRequest

ENCODE = route("GET", "/workflow/{workflow_id}/runs", limit=at_least(1), environment=TEXT, is_fluid=FLAG)
USUAL = {"workflow_id": "w", "limit": 1, "environment": None, "is_fluid": None}


def test_parameters_fill_path_then_query():
    request = ENCODE({"workflow_id": "a/b", "limit": 5, "environment": "x y", "is_fluid": False})
    assert (request.method, request.url) == ("GET", "/workflow/a%2Fb/runs?limit=5&environment=x+y&is_fluid=false")


def test_missing_parameters_are_omitted():
    assert ENCODE(USUAL).url == "/workflow/w/runs?limit=1"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("workflow_id", value, "expected a string") for value in (None, 5)),
        *(("environment", value, "expected a string") for value in (5, b"x", {"x": 1})),
        *(("is_fluid", value, "expected true or false") for value in (0, 1, "true")),
        *(("limit", value, "expected an integer not below 1") for value in (None, 0, -1, True, 2.0, "5")),
    ],
)
def test_wrong_value_is_named(name, value, expected):
    with pytest.raises(SDKValidationError, match=f"{name}: {expected}, got {type(value).__name__}") as caught:
        ENCODE({**USUAL, name: value})
    assert [problem.path for problem in caught.value.problems] == [f"$.{name}"]
    assert caught.value.raw_value is value


def test_model_and_mapping_are_posted_unchanged():
    encode = posting("/session", CreateSessionRequest)
    for request in (CreateSessionRequest(machine_id="m", timeout=5), {"machine_id": "m", "timeout": 5}):
        assert encode(request).content == b'{"machine_id":"m","timeout":5}'
