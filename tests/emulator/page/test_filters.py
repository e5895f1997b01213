from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.page.filters import Filter

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "view=grid",
        "status=failed",
        "deployment=a+%26b&q=a+cat%3F&age=1h",
        "view=sheet&since=2026-01-02T03%3A04&until=2026-01-03T00%3A00&page=7",
    ],
)
def test_address_has_filter_and_nothing_else(query):
    given = Filter.of(QueryParams(query))
    assert given.query(page=given.page) == query
    assert given.address(page=given.page) == (f"/?{query}" if query else "/")


def test_other_runs_begin_at_first_page():
    assert Filter.of({"page": "9"}).address(status="failed") == "/?status=failed"


@pytest.mark.parametrize(
    "query",
    [
        {"view": "x"},
        {"age": "2y"},
        {"since": "yesterday", "until": "99999-01-01"},
        {"since": "0001-01-01T00:00+23:00"},
        {"page": "0"},
        {"page": "-1"},
        {"page": "\u0663"},
        {"page": "9" * 5000},
        {"q": "  "},
    ],
)
def test_invalid_values_are_left_out(query):
    assert Filter.of(query) == Filter()


@pytest.mark.parametrize(("query", "is_narrow"), [({"view": "grid", "page": "2"}, False), ({"q": "x"}, True)])
def test_filter_is_narrow_if_it_leaves_out_runs(query, is_narrow):
    assert Filter.of(query).is_narrow is is_narrow


def test_criteria_have_ids_words_and_moment():
    one = Deployment("one")
    criteria = Filter.of({"deployment": "one", "q": "a  cat", "age": "1h", "since": "2026-01-01"}).criteria([one], NOW)
    assert criteria.deployment == (one.id, one.workflow_id)
    assert criteria.words == ("a", "cat")
    assert criteria.since == datetime(2026, 1, 2, 11, tzinfo=UTC)
    assert Filter.of({"since": "2026-01-02T11:30:00+00:30"}).criteria([], NOW).since == criteria.since


def test_unknown_deployment_has_no_runs():
    assert Filter.of({"deployment": "none"}).criteria([], NOW).deployment == ("", "")
