"""The comparison of two documents shows where they differ."""

import pytest


@pytest.mark.parametrize(
    ("found", "recorded", "difference"),
    [
        ({"a": 1}, [{"a": 2.5}], None),
        ({"a": 1}, [{"a": None}, {"a": 2}], None),
        ({"a": None}, [{"a": 2}], "$.a: null, recorded: number"),
        ({"a": True}, [{"a": 2}], "$.a: boolean, recorded: number"),
        ({"a": [1, "x"]}, [{"a": [2]}], "$.a[]: text, recorded: number"),
        ({"a": [1]}, [{"a": []}], "$.a[]: number, recorded: nothing"),
        ({"a": []}, [{"a": [1]}], None),
        ({}, [{"a": 1}], "$.a: missing"),
        ({}, [{"a": 1}, {}], None),
        ({"a": 1}, [{}], "$.a: not recorded"),
        ({"at": "2026-11-23T18:59:43.726000Z"}, [{"at": "2001-01-01T00:00:00.000001Z"}], None),
        (
            {"at": "2026-11-23T18:59:43.726000Z"},
            [{"at": "2001-01-01T00:00:00.001Z"}],
            "$.at: 0000-00-00T00:00:00.000000Z, recorded: 0000-00-00T00:00:00.000Z",
        ),
        ({"status": "failed"}, [{"status": "success"}], "$.status: 'failed', recorded: 'success'"),
        ({"message": "a"}, [{"message": "a"}], None),
        ({"url": "http://a/"}, [{"url": "https://b/c"}], None),
        ({"url": "a"}, [{"url": "https://b/c"}], "$.url: text, recorded: address"),
        ({"nodes": {"7": {"x": 1}}}, [{"nodes": {"1": {"x": 2}, "2": {"x": 3}}}], None),
        ({"nodes": {"7": {"y": 1}}}, [{"nodes": {"1": {"x": 2}}}], "$.nodes.7.x: missing"),
        ([{"b": [{"c": "x"}]}], [[{"b": [{"c": None}]}]], "$[].b[].c: text, recorded: null"),
    ],
)
def test_differences_name_their_path(like, found, recorded, difference):
    lines = like(found, *recorded)
    assert (difference in lines) if difference else not lines
