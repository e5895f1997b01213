"""No argument of a caller can change the route of a request, or break it."""

import json
from collections import UserDict

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfydeploy._wire.request import Request, authorization, checked_headers, checked_server, path_segment, query
from comfydeploy.errors import InvalidRequestError, SDKValidationError

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]))
SECRET = st.text("abcdefghij0123456789", min_size=12)


def test_request_shows_start_of_its_body():
    assert "content=None" in repr(Request("GET", "/x"))
    shown = repr(Request("POST", "/x", content=b'{"seed": 5, "api_key": "hunter2"}' + b"x" * 5_000))
    assert "seed" in shown
    assert "hunter2" not in shown
    assert "5,033 characters" in shown


@given(value=ANY_TEXT)
@example("../queue")
@example("..%2fqueue")
@example("%2e%2e")
@example("a/../../b")
@example("\\..\\")
@example("x?cd_token=y#z")
@example("http://elsewhere")
@example(";/@:")
@example("\n\r\t\0 ")
def test_id_is_one_segment(value):
    if value in ("", ".", ".."):
        return
    url = httpx.URL(f"https://server.test/api/run/{path_segment(value, 'run_id')}")
    assert url.host == "server.test"
    assert (url.query, url.fragment) == (b"", "")
    before, _, last = url.raw_path.decode().rpartition("/")
    assert before == "/api/run"
    assert last == path_segment(value, "run_id")
    assert url.path.removeprefix("/api/run/") == value.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_segment_that_names_no_thing_is_refused(value):
    with pytest.raises(SDKValidationError, match=r"run_id: expected an id, got '\.?\.?'") as caught:
        path_segment(value, "run_id")
    assert [problem.path for problem in caught.value.problems] == ["$.run_id"]


@pytest.mark.parametrize("value", [None, 5, b"id", ["id"]])
def test_segment_that_is_no_text_is_refused(value):
    with pytest.raises(SDKValidationError, match="run_id: expected a string, got ") as caught:
        path_segment(value, "run_id")
    assert caught.value.raw_value is value


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, ""),
        ({"a": None}, ""),
        ({"a": "true", "b": None, "c": "0", "d": "x y&z"}, "?a=true&c=0&d=x+y%26z"),
        ({"a": None, "b": "ü"}, "?b=%C3%BC"),
    ],
)
def test_query_has_given_parameters(parameters, text):
    assert query(parameters) == text


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://api.comfydeploy.com/api", "https://api.comfydeploy.com/api"),
        ("https://host/api/", "https://host/api"),
        ("https://host/X//", "https://host/X"),
        ("http://localhost:3011", "http://localhost:3011"),
        ("HTTP://[::1]:80/", "HTTP://[::1]:80"),
    ],
)
def test_server_has_no_trailing_slash(url, server):
    assert checked_server(url, "server_url") == server


@pytest.mark.parametrize(
    "url",
    [None, 5, b"https://host", "", "host", "host/api", "//host", "ftp://host", "https://", "https:///api", "https:host"]
    + ["https://host:0", "https://host:99999", "https://host:x", "https://[::1", "https://host?a=1", "https://host#a"]
    + [
        "https://host/a b",
        "https://host/a\nb",
        "https://host/\u2028",
        " https://host",
        "https://ho st",
        "https://host\t",
    ],
)
def test_invalid_server_is_named(url):
    with pytest.raises(InvalidRequestError, match=r"^options\.server_url: ") as caught:
        checked_server(url, "options.server_url")
    assert caught.value.fate == "not_sent"


@pytest.mark.parametrize("url", ["https://me:hunter2@host/api", "https://hunter2@host", "https://:hunter2@host"])
def test_server_password_is_not_shown(url):
    with pytest.raises(InvalidRequestError) as caught:
        checked_server(url, "server_url")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://host/api?", "https://host/api#"])
def test_server_with_query_is_refused(url):
    with pytest.raises(InvalidRequestError):
        checked_server(url, "server_url")


@given(url=ANY_TEXT | st.from_regex(r"https?://[a-z:@\[\]/.?#\\%0-9 ]{0,20}", fullmatch=True))
def test_any_address_is_taken_or_refused(url):
    try:
        server = checked_server(url, "server_url")
    except InvalidRequestError:
        return
    assert server.lower().startswith(("http://", "https://"))
    assert not server.endswith("/")


def test_header_names_come_out_in_lower_case():
    assert checked_headers({"X-Thing": "a b\tc", "accept": ""}) == {"x-thing": "a b\tc", "accept": ""}
    assert checked_headers(UserDict({"X-Thing": "1"})) == {"x-thing": "1"}


@pytest.mark.parametrize("name", ["", "a b", "a:", "ü", "a\n", None, 5, b"a"])
def test_invalid_header_name_is_refused(name):
    with pytest.raises(InvalidRequestError, match="is not a header name"):
        checked_headers({name: "x"})


@pytest.mark.parametrize("value", ["secret\n", "secret\r\nx: y", "secret\0", "secretü", 5, None, b"secret"])
def test_invalid_header_value_is_not_shown(value):
    with pytest.raises(InvalidRequestError, match="the value of 'x-key' must be one line of ASCII") as caught:
        checked_headers({"x-key": value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["secret ", " secret", "secret\t"])
def test_padded_header_value_is_not_shown(value):
    with pytest.raises(InvalidRequestError, match="the value of 'x-key'") as caught:
        checked_headers({"x-key": value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("headers", [[("a", "b")], "a: b", 5])
def test_headers_that_are_no_mapping_are_refused(headers):
    with pytest.raises(InvalidRequestError, match="headers: expected a mapping, got "):
        checked_headers(headers)


@pytest.mark.parametrize("token", ["abc", "eyJ.a-b_c", "!~"])
def test_token_is_kept_as_it_is(token):
    assert authorization(token).reveal() == token
    assert token not in repr(authorization(token))


@given(odd=st.characters(codec=None, exclude_categories=[]).filter(lambda sign: not "!" <= sign <= "~"))
def test_invalid_token_is_not_shown(odd):
    for token in (f"hunter2{odd}", f"{odd}hunter2", f"hunter2{odd}hunter2"):
        with pytest.raises(InvalidRequestError) as caught:
            authorization(token)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("token", ["", " ", "hunter2 ", " hunter2", "hun ter2", "hunter2\n", "hunter2\r", "hünter2"])
def test_token_with_whitespace_is_not_shown(token):
    with pytest.raises(InvalidRequestError, match=r"^bearer: expected printable ASCII") as caught:
        authorization(token)
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize("token", [None, 5, b"hunter2", ["hunter2"]])
def test_token_must_be_text(token):
    with pytest.raises(InvalidRequestError, match=r"^bearer: expected a string, got ") as caught:
        authorization(token)
    assert "hunter2" not in str(caught.value)


def test_route_is_no_part_of_request():
    request = Request("GET", "/run/r", route="/run/{run_id}")
    assert request == Request("GET", "/run/r")
    assert "{run_id}" not in repr(request)
    assert (request.headers, request.content, request.upload) == ({}, None, None)


def test_with_headers_replaces_headers():
    request = Request("GET", "/x", {"a": "1", "b": "2"})
    assert request.with_headers({"B": "3", "C": "4"}).headers == {"a": "1", "b": "3", "c": "4"}
    assert request.headers == {"a": "1", "b": "2"}


@given(secret=SECRET)
def test_request_never_prints_secret(secret):
    headers = dict.fromkeys(["authorization", "cookie", "x-api-key", "X-Amz-Security-Token", "client-secret"], secret)
    body = {"cd_token": secret, "inputs": {"password": secret, "image": f"https://x/?a=1&X-Amz-Signature={secret}&b=2"}}
    request = Request("POST", "/run", headers | {"accept": "shown"}, json.dumps(body).encode())
    assert secret not in repr(request)
    assert "shown" in repr(request)
    assert "/run" in repr(request)


def test_address_prints_no_secret():
    assert "hunter2" not in repr(Request("GET", "https://server.test/run/x?cd_token=hunter2"))


def test_request_without_body_says_so():
    assert "content=None" in repr(Request("GET", "/x"))


def test_request_prints_start_of_its_body_only():
    assert len(repr(Request("POST", "/x", content=b"\xff" + b"x" * 100_000))) < 3_000
