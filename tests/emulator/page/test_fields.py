import re

import pytest

from comfydeploy._emulator.page.fields import Field, input_fields

BOUND = Field("n", "integer", low=16, high=2048)


def input_type(name, kind="string", node="Text", **more):
    return {"input_id": name, "type": kind, "class_type": f"ComfyUIDeployExternal{node}", **more}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (input_type("x"), "text"),
        (input_type("x", node="TextSingleLine"), "line"),
        (input_type("x", "integer", "NumberInt"), "integer"),
        (input_type("x", "float", "NumberSlider"), "number"),
        (input_type("x", "boolean", "Boolean"), "boolean"),
        (input_type("x", node="Enum", enum_options=["a", "b"]), "choice"),
        (input_type("x", node="Image"), "file"),
        (input_type("x", node="ImageBatch"), "files"),
        ({"input_id": "x"}, "text"),
        ({"input_id": "x", "type": 5, "class_type": None, "min_value": "low", "max_value": True}, "text"),
    ],
)
def test_kind_of_field_follows_type_and_node(given, kind):
    (field,) = input_fields([given])
    assert (field.kind, field.low, field.high) == (kind, None, None)


def test_input_of_several_nodes_is_one_field():
    given = [input_type("x", default_value="a"), input_type("x"), input_type(""), {"input_id": None}, {}]
    (field,) = input_fields(given)
    assert field.default == "a"


@pytest.mark.parametrize(("name", "node"), [("seed", "NumberInt"), ("x", "Seed")])
def test_seed_can_be_drawn(name, node):
    assert input_fields([input_type(name, "integer", node)])[0].is_seed


@pytest.mark.parametrize("name", ['"><script>', "a\r\nb", "\u00e4 &", "x" * 300])
def test_name_of_control_has_plain_signs(name):
    assert Field(name, "text").control.isascii()
    assert not set(Field(name, "text").control) & set("\"'<>&\r\n ")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (BOUND, " 16 ", 16),
        (BOUND, "", None),
        (Field("n", "integer"), "9" * 40, int("9" * 40)),
        (Field("n", "number", low=0), "1e-3", 0.001),
        (Field("b", "boolean"), "on", True),
        (Field("b", "boolean"), "", None),
        (Field("b", "boolean", default=True), "", False),
        (Field("t", "text"), "a\r\nb ", "a\nb "),
        (Field("t", "text"), "", None),
        (Field("t", "text", default="a"), "", ""),
        (Field("c", "choice", options=("a", "b")), "b", "b"),
        (Field("c", "choice", options=("a", "b")), "", None),
        (Field("f", "file"), " http://x/y ", "http://x/y"),
        (Field("f", "files"), "http://x/1\r\nhttp://x/2", ["http://x/1", "http://x/2"]),
        (Field("j", "json"), '{"a": 1}', {"a": 1}),
    ],
)
def test_value_is_what_control_sent(field, text, value):
    assert field.read(text) == value


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        (BOUND, "15", "Enter a whole number: 16 to 2048."),
        (BOUND, "2049", "Enter a whole number: 16 to 2048."),
        (BOUND, "1.5", "Enter a whole number: 16 to 2048."),
        (Field("n", "number", low=1), "0", "Enter a number: 1 or more."),
        (Field("n", "number", high=1), "2", "Enter a number: 1 or less."),
        (Field("n", "number"), "x", "Enter a number."),
        (Field("n", "number"), "nan", "Enter a number."),
        (Field("n", "number"), "inf", "Enter a number."),
        (Field("n", "integer"), "9" * 5000, "Enter a whole number."),
        (Field("c", "choice", options=("a", "b")), "z", "Choose one of a, b."),
        (Field("j", "json"), "{", 'Enter JSON, such as {"name": "value"}.'),
    ],
)
def test_error_says_what_is_expected(field, text, error):
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        field.read(text)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", None, ""),
        ("text", ["a"], '["a"]'),
        ("integer", 7, "7"),
        ("boolean", True, "on"),
        ("boolean", "yes", ""),
        ("files", ["a", "b"], "a\nb"),
        ("files", "a", "a"),
    ],
)
def test_control_shows_value(kind, value, text):
    assert Field("x", kind).written(value) == text
