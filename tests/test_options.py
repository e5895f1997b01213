"""Options: their defaults, and that they never print a secret."""

import pickle

import pytest
from attrs.exceptions import FrozenInstanceError

from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig


def test_defaults_are_those_of_original():
    assert RetryConfig() == RetryConfig("backoff", BackoffStrategy(0.5, 60.0, 1.5, 3600.0), True)
    options = RequestOptions()
    assert {getattr(options, name) for name in RequestOptions.__slots__ if not name.startswith("__")} == {
        None,
        64 * 1024 * 1024,
    }


@pytest.mark.parametrize(
    "options",
    [RequestOptions(timeout=5, headers={"a": "b"}, retries=RetryConfig("none")), RetryConfig(), BackoffStrategy()],
)
def test_options_are_values(options):
    assert pickle.loads(pickle.dumps(options)) == options
    with pytest.raises(FrozenInstanceError):
        options.timeout = 7


def test_options_are_given_by_name():
    with pytest.raises(TypeError):
        RequestOptions(5)


def test_options_never_print_values_of_headers():
    assert "hunter2" not in repr(RequestOptions(headers={"authorization": "Bearer hunter2"}))


@pytest.mark.parametrize("headers", [5, [("a", "hunter2")], None])
def test_options_print_whatever_their_headers_are(headers):
    assert "hunter2" not in repr(RequestOptions(headers=headers))
