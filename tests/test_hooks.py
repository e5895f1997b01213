"""Hooks are plain data: functions by the name of their stage."""

import pickle

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError

from comfydeploy import hooks
from comfydeploy.hooks import HookContext, Hooks, Reply, Request, SDKInit


def function(*_):
    """Stand in for a hook."""


def test_stages_are_those_of_original():
    assert [field.name for field in fields(Hooks)] == [
        "sdk_init",
        "before_create_request",
        "before_request",
        "after_success",
        "after_error",
    ]


def test_hooks_do_nothing_by_default():
    assert {getattr(Hooks(), field.name) for field in fields(Hooks)} == {None}


def test_hooks_are_given_by_name():
    with pytest.raises(TypeError):
        Hooks(function)


@pytest.mark.parametrize(
    "value", [Hooks(before_request=print), HookContext("an_operation", 2), SDKInit("https://host")]
)
def test_hooks_are_a_value(value):
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(FrozenInstanceError):
        value.attempt = 7


def test_context_has_call_and_attempts():
    assert HookContext("an_operation") == HookContext("an_operation", 0)


def test_hooks_use_public_names():
    assert Request("GET", "/x").with_headers({"A": "b"}).headers == {"a": "b"}
    assert Reply(200, {"content-type": "application/json"}, b"{}").json() == {}
    assert all(hasattr(hooks, name) for name in hooks.__all__)
