from types import SimpleNamespace

from comfydeploy._emulator.page.columns import columns, compared_inputs


def runs(*inputs):
    return [SimpleNamespace(workflow_inputs=one) for one in inputs]


def test_inputs_that_differ_are_columns():
    given = runs({"prompt": "a cat", "seed": 1, "size": 5}, {"prompt": "a cat", "seed": 2, "size": 5})
    found = columns(given)
    assert found.names == ["seed"]
    assert found.equal == [("prompt", "a cat"), ("size", "5")]
    assert [found.cells(run) for run in given] == [[("seed", "1")], [("seed", "2")]]


def test_missing_input_differs_from_any_value():
    given = runs({"seed": None}, {})
    found = columns(given)
    assert (found.names, found.equal) == (["seed"], [])
    assert [found.cells(run) for run in given] == [[("seed", "null")], [("seed", None)]]


def test_text_and_number_may_be_alike():
    assert columns(runs({"seed": 1}, {"seed": "1"})).equal == [("seed", "1")]


def test_inputs_of_single_run_are_all_shown():
    assert columns(runs({"a": 1, "b": [2]})).names == ["a", "b"]
    assert columns([]).names == []


def test_columns_are_few():
    many = {f"input-{number}": number for number in range(20)}
    found = columns(runs(many, {}), most=3)
    assert (found.names, found.hidden) == (["input-0", "input-1", "input-2"], 17)


def test_compared_inputs_that_differ_come_first():
    found = compared_inputs(runs({"prompt": "a", "seed": 1}, {"prompt": "a", "seed": 2, "x": True}))
    assert [(one.name, one.values, one.differs) for one in found] == [
        ("seed", ["1", "2"], True),
        ("x", [None, "true"], True),
        ("prompt", ["a", "a"], False),
    ]


def test_caption_begins_with_what_differs_most():
    given = runs(*({"prompt": "a", "seed": seed, "x": None} for seed in range(3)), {"prompt": "b", "seed": 0, "y": 1})
    found = columns(given)
    assert found.caption(given[1]) == [("seed", "1"), ("prompt", "a"), ("x", "null")]
    assert found.caption(given[3]) == [("seed", "0"), ("prompt", "b"), ("y", "1")]
