"""The arguments of a map, the addresses of its journals, and the requests that it may send."""

from math import inf, nan
from pathlib import Path

import pytest

from comfydeploy._mapping.actions import Terms
from comfydeploy._mapping.addresses import is_address, is_database, shown_journal
from comfydeploy._mapping.patterns import checked_pattern
from comfydeploy._mapping.settings import Arguments, MapSettings, checked_settings
from comfydeploy.errors import SDKValidationError
from comfydeploy.options import RequestOptions

DATABASE = "postgresql://me:word@host/db"


def test_defaults():
    assert checked_settings(Arguments()) == MapSettings(
        options=RequestOptions(),
        deadline=None,
        name=None,
        journal=None,
        pattern=None,
        at_once=20,
        check=True,
        terms=Terms("after_grace", 1, 300.0, 300.0, 60.0, saves=False, max_runs=None),
        is_step=False,
    )


def test_all_arguments_are_used():
    given = Arguments(
        options=RequestOptions(deadline=9.0),
        name="night",
        journal=Path("j.sqlite"),
        to="out",
        at_once=1,
        attempts=2,
        max_runs=3,
        check=False,
        resend="never",
        post_limit=4,
        grace=0,
    )
    settings = checked_settings(given)
    assert settings == MapSettings(
        options=RequestOptions(),
        deadline=9.0,
        name="night",
        journal="j.sqlite",
        pattern=checked_pattern("out"),
        at_once=1,
        check=False,
        terms=Terms("never", 2, 4.0, 4.0, 0.0, saves=True, max_runs=3),
    )
    assert [type(seconds) for seconds in (settings.terms.post_limit, settings.terms.grace)] == [float, float]


@pytest.mark.parametrize("shown", [repr, lambda given: repr(checked_settings(given))])
def test_a_password_is_not_shown(shown):
    assert "postgresql://me:[redacted]@host/db" in shown(Arguments(journal=DATABASE))


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("at_once", [0, 1.0, True, None, "x" * 900], "expected an integer not below 1, got "),
        ("attempts", [0, "2"], "expected an integer not below 1, got "),
        ("max_runs", [0, "2"], "expected an integer not below 1, got "),
        ("post_limit", [0.09, True, None, nan, inf, "x" * 900], "expected seconds not below 0.1, got "),
        ("grace", [-0.1, True, None, nan, inf, "1"], "expected seconds not below 0, got "),
        ("check", [1, None, "yes"], "expected True or False, got "),
        ("resend", ["always", None], "expected 'after_grace' or 'never', got "),
        ("name", ["", "x" * 51, 3, "x" * 900], "expected text of 1 to 50 characters, got "),
        ("name", ["a/b", "a\nb", "\U0010ffff" * 50], "expected printable text without a slash, got "),
        ("journal", [3, ""], "expected the path of a file or the address of a database, got "),
        ("journal", [":memory:", "mysql://host/db", "x" * 900 + "://"], "expected the path of a "),
        ("options", [3, RequestOptions(deadline=0)], ""),
    ],
)
def test_wrong_arguments_are_named(name, values, reason):
    for value in values:
        with pytest.raises(SDKValidationError) as caught:
            checked_settings(Arguments(**{name: value}))
        assert caught.value.message.startswith((f"{name}: {reason}", f"{name}."))
        assert len(caught.value.message) <= len(name) + 2 + (300 if name == "journal" else 200)


def test_arguments_at_their_limits():
    for given in ({"post_limit": 0.1}, {"grace": 0}, {"name": "x"}, {"name": "x" * 50}, {"at_once": 1}):
        checked_settings(Arguments(**given))


@pytest.mark.parametrize(
    ("journal", "shown", "is_valid"),
    [
        ("a/b.sqlite", "a/b.sqlite", None),
        ("C:/b.sqlite", "C:/b.sqlite", None),
        (DATABASE, "postgresql://me:[redacted]@host/db", True),
        ("postgres://me@host/db", "postgres://me@host/db", True),
        ("postgres://host", "postgres://host", True),
        ("postgres://me:@host", "postgres://me:[redacted]@host", True),
        ("postgresql://:word@[::1]:5/db?sslmode=require", "postgresql://:[redacted]@[::1]:5/db", True),
        ("postgresql://a:1,b:2/db", "postgresql://a:1,b:2/db", True),
        ("postgresql://me:wo@rd@host", "postgresql://[redacted]", False),
        ("my+sql2://me:word@host", "my+sql2://[redacted]", False),
    ],
)
def test_journals_are_shown_without_passwords(journal, shown, is_valid):
    assert shown_journal(journal) == shown
    assert is_address(journal) is (is_valid is not None)
    assert is_database(journal) is bool(is_valid)
