"""Secrets are never printed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydeploy._wire.redaction import redacted_headers, redacted_text, without_secret, without_secrets
from comfydeploy.errors import Problem
from comfydeploy.models.secret import HIDDEN, Secret

SECRET = st.text("abcdefghij0123456789-_.", min_size=12)
NAMES = st.sampled_from(
    [
        "cd_token",
        "token",
        "access_token",
        "API_KEY",
        "apiKey",
        "x-api-key",
        "Authorization",
        "password",
        "client_secret",
    ]
    + ["X-Amz-Signature", "X-Amz-Credential", "Set-Cookie", "aws_session_token"]
)
FILLER = st.text("abc {}[],:'\\\n\u2028ü", max_size=40)


@given(secret=SECRET, name=NAMES, filler=FILLER)
def test_values_of_telling_headers_are_hidden(secret, name, filler):
    shown = redacted_headers({name: secret, "accept": filler})
    assert shown == {name: HIDDEN, "accept": filler}


@given(secret=SECRET, name=NAMES, filler=FILLER, indent=st.sampled_from([None, 2]))
def test_secrets_in_json_are_hidden(secret, name, filler, indent):
    document = {"a": filler, "deep": [{name: f'{secret}"{filler}{secret}'}], "b": filler}
    shown = redacted_text(json.dumps(document, indent=indent))
    assert secret not in shown
    assert json.loads(shown) == document | {"deep": [{name: HIDDEN}]}


@given(
    secret=SECRET, name=NAMES, before=st.sampled_from(["?", "?a=1&", "?a=b%20c&"]), after=st.sampled_from(["", "&b=2"])
)
def test_secrets_in_addresses_are_hidden(secret, name, before, after):
    text = f'{{"url": "https://x/f.png{before}{name}={secret}{after}", "b": 1}}'
    assert redacted_text(text) == text.replace(secret, HIDDEN)


def test_other_text_is_shown():
    text = '{"tokenizer_free": 1, "seed": 5, "text": "https://x/?seed=5&design=6"}'
    assert redacted_text(text) == text


def test_only_start_of_text_is_shown():
    shown = redacted_text("x" * 1_999 + "yz" + "w" * 100_000)
    assert shown == "x" * 1_999 + "y... (102,001 characters)"
    assert redacted_text("x" * 2_000) == "x" * 2_000


@given(place=st.integers(0, 60), secret=SECRET)
def test_secret_that_cut_leaves_open_is_hidden(place, secret):
    text = "x" * (1_990 - place) + '{"cd_token": "' + secret * 3 + '", "b": "' + "y" * 100 + '"}'
    assert secret[:8] not in redacted_text(text)


@given(place=st.integers(0, 60), secret=SECRET)
def test_parameter_that_cut_leaves_open_is_hidden(place, secret):
    text = "x" * (1_990 - place) + "https://x/?sig=" + secret * 3 + "&b=" + "y" * 100
    assert secret[:8] not in redacted_text(text)


def test_cut_secret_after_backslash_is_hidden():
    start = '{"cd_token": "'
    text = start + "s" * (1_999 - len(start)) + '\\"' + "s" * 100 + '"}'
    assert "sss" not in redacted_text(text)


def test_secret_that_server_left_open_is_hidden():
    assert "hunter2" not in redacted_text('{"cd_token": "hunter2')


def test_secret_of_json_in_json_text_is_hidden():
    assert "hunter2" not in redacted_text(json.dumps({"message": json.dumps({"cd_token": "hunter2"})}))


def test_secret_never_prints():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_secret_is_taken_out_of_text():
    assert Secret("hunter22").removed_from("a hunter22 hunter22") == f"a {HIDDEN} {HIDDEN}"


@pytest.mark.parametrize("short", ["t", "key", "json", "hunter2"])
def test_short_secret_stays_in_text(short):
    assert Secret(short).removed_from(f"a {short}") == f"a {short}"


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ({"hunter22": 1}, {HIDDEN: 1}),
        ({"a": "hunter22", "b": 1}, {"a": HIDDEN, "b": 1}),
        (("hunter22", 1), (HIDDEN, 1)),
        (["a", "hunter22"], ["a", HIDDEN]),
        (b"\xffhunter22", b"\xff" + HIDDEN.encode()),
        (Problem("$", "hunter22"), Problem("$", HIDDEN)),
    ],
)
def test_secret_is_taken_out_of_values(value, clean):
    found = without_secret(value, Secret("hunter22"))
    assert (found, type(found)) == (clean, type(clean))
    assert without_secret(clean, Secret("hunter22")) is clean


def test_what_looks_like_secret_is_taken_out():
    value = {"token": "x", "Cookie": 5, "deep": [{"api_key": "x", "a": "http://h/?sig=x"}]}
    assert without_secrets(value) == {
        "token": HIDDEN,
        "Cookie": 5,
        "deep": [{"api_key": HIDDEN, "a": f"http://h/?sig={HIDDEN}"}],
    }
    assert without_secret({"token": "x"}, Secret("hunter22")) == {"token": "x"}


def test_value_nested_too_deeply_is_hidden():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert without_secrets(deep) == HIDDEN


def test_empty_secret_takes_nothing_out_of_text():
    assert Secret("").removed_from("abc") == "abc"


@pytest.mark.parametrize("quote", ['"', '\\"'])
def test_inputs_of_failed_node_are_hidden(quote):
    text = '{"a": 1, "current_inputs": {"text": ["SECRET"]}, "b": 2}\nmore'.replace('"', quote)
    assert redacted_text(text) == text[: text.index("{", 1)] + HIDDEN
