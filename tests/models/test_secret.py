"""A secret is never printed, and compared by its text."""

import pytest

from comfydeploy.models import Secret
from comfydeploy.models.secret import HIDDEN


def test_secret_prints_without_its_text():
    assert f"{Secret('hunter2222')}" == f"{Secret('hunter2222')!r}" == "Secret([redacted])"


def test_secrets_are_compared_by_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("b"), Secret("a")}


@pytest.mark.parametrize(("text", "is_removed"), [("1234567", False), ("12345678", True)])
def test_secret_of_8_characters_is_removed(text, is_removed):
    assert Secret(text).removed_from(f"a{text}b") == (f"a{HIDDEN}b" if is_removed else f"a{text}b")
