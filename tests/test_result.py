"""Results: the containers of *returns*, closed for a match."""

import pytest
from returns.pipeline import flow
from returns.pointfree import bind
from returns.primitives.exceptions import UnwrapFailedError
from returns.result import Result as OpenResult

from comfydeploy import result
from comfydeploy.errors import ConnectionError
from comfydeploy.result import Failure, Result, Success, closed, opened, unwrap

ERROR = ConnectionError("broken", "unknown")


def test_unwrapping_success_gives_its_value():
    assert unwrap(Success(5)) == 5
    assert unwrap(Success(None)) is None


def test_unwrapping_a_failure_raises_its_error():
    with pytest.raises(ConnectionError) as caught:
        unwrap(Failure(ERROR))
    assert caught.value is ERROR


def test_method_unwrap_has_error_as_cause():
    with pytest.raises(UnwrapFailedError) as caught:
        Failure(ERROR).unwrap()
    assert caught.value.__cause__ is ERROR


@pytest.mark.parametrize(("result", "said"), [(Success(5), "value 5"), (Failure(ERROR), "error broken")])
def test_result_matches(result, said):
    match result:
        case Success(value):
            found = f"value {value}"
        case Failure(ConnectionError(message)):
            found = f"error {message}"
    assert found == said


def test_opened_result_is_the_same_object():
    result = Success(5)
    assert opened(result) is result
    assert isinstance(opened(result), OpenResult)
    assert flow(opened(result), bind(lambda value: Success(value + 1))) == Success(6)
    assert opened(Failure(ERROR)).map(str).failure() is ERROR


def test_result_of_either_kind_is_result():
    assert isinstance(Success(5), Result)
    assert isinstance(Failure(ERROR), Result)
    assert not isinstance(5, Result)


def test_result_can_stand_in_annotations():
    assert str(Result[int, str]) == "comfydeploy.result.Result[int, str]"
    assert (Result[int, str] | None).__args__ == (Result[int, str], type(None))


def test_no_other_name_is_there():
    with pytest.raises(AttributeError, match="no_such_name"):
        result.no_such_name  # noqa: B018 - the access is the test


def test_closed_result_is_the_same_object():
    for found in (Success(5), Failure(ERROR)):
        assert closed(opened(found)) is found


def test_only_results_are_closed():
    with pytest.raises(TypeError, match="expected a Success or a Failure, got int"):
        closed(5)
