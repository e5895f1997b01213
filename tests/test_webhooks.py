"""Webhooks: the signed address, a delivery, and one state from many deliveries."""

import hmac
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate, pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from comfydeploy import Failure, Success, errors, webhooks
from comfydeploy._wire.redaction import redacted_text
from comfydeploy.models import WorkflowRunWebhookBody
from comfydeploy.webhooks import (
    WebhookProgress,
    WebhookToken,
    webhook_parse,
    webhook_progress,
    webhook_response,
    webhook_url,
    webhook_verify,
)

RECORDED = json.loads((Path(__file__).parent / "samples" / "webhooks.json").read_text())
DELIVERIES = [
    pytest.param(delivery, id=f"{recording['name']}-{place}")
    for recording in RECORDED
    for place, delivery in enumerate(recording["deliveries"])
]
ADDRESS = "https://example.com/hooks/comfy"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
JSON = {"content-type": "application/json"}
STATUSES = ["not-started", "queued", "started", "running", "uploading"]
ENDS = ["success", "failed", "timeout", "cancelled"]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def made(address=ADDRESS, secret="s3cret", **carried):
    return webhook_url(address, secret, **carried).unwrap()


def refused(result):
    """Return the path and the reason of the one problem."""
    match result:
        case Failure(errors.SDKValidationError(problems=(problem,)) as error):
            assert problem.reason in str(error)
            return problem.path, problem.reason
    raise AssertionError(result)


def body(status="running", run_id="r", **fields):
    return WorkflowRunWebhookBody(run_id=run_id, status=status, **fields)


def parsed(**document):
    return webhook_parse("POST", JSON, json.dumps({"run_id": "r", "status": "running"} | document)).unwrap()


def folded(bodies):
    state = None
    for one in bodies:
        state = webhook_progress(state, one)
    return state


def output(id_="o", images=(), **fields):
    document = {"id": id_, "run_id": "r", "data": {"images": [picture(name) for name in images]}}
    return document | fields


def picture(name):
    return {"url": f"http://x/{name}", "type": "output", "filename": name}


# --- the address


def test_address_that_was_made_here_proves_itself():
    assert webhook_verify(made(), "s3cret") == Success(WebhookToken())


def test_reference_and_time_travel_in_query():
    url = made(reference="job 1/ä&=", expires=NOON)
    assert url.startswith(f"{ADDRESS}?webhook_reference=job+1%2F%C3%A4%26%3D&webhook_expires=1795521600&webhook_token=")
    assert webhook_verify(url, "s3cret", now=NOON - timedelta(seconds=1)) == Success(
        WebhookToken(reference="job 1/ä&=", expires=NOON)
    )


def test_empty_reference_is_not_none():
    assert webhook_verify(made(reference=""), "s3cret") == Success(WebhookToken(reference=""))


def test_parameters_of_address_are_kept():
    url = made(f"{ADDRESS}?target_events=run.output&a=&a=2")
    assert url.startswith(f"{ADDRESS}?target_events=run.output&a=&a=2&webhook_token=")
    assert webhook_verify(url, "s3cret") == Success(WebhookToken())


def test_signature_is_stable():
    signed = json.dumps(["comfydeploy webhook", "/hooks/ü", [["a", "2"], ["b", "1"], ["webhook_reference", "j"]]])
    token = hmac.digest(b"s3cret", signed.encode(), "sha256").hex()
    assert token == "925100056d98854f1f50aa56d2cfdb69d9a3932936555ab0e3d492b27ebac9af"
    assert made("https://example.com/hooks/ü?b=1&a=2", reference="j").endswith(f"&webhook_token={token}")


@pytest.mark.parametrize(
    "seen",
    [
        "http://10.0.0.7:8080{target}",
        "HTTPS://Example.COM{target}",
        "{target}",
    ],
)
def test_receiver_may_see_another_host_or_none(seen):
    target = made("https://example.com//hooks?x=1").removeprefix("https://example.com")
    assert webhook_verify(seen.format(target=target), "s3cret") == Success(WebhookToken())


def test_host_without_path_is_the_root():
    query = made("https://example.com").removeprefix("https://example.com")
    assert webhook_verify(f"/{query}", "s3cret") == Success(WebhookToken())


def test_escapes_and_order_may_change():
    token = made("https://example.com/ho~oks/ü?b=x y&a=2&b=1".replace(" ", "+")).rpartition("=")[2]
    seen = f"/ho%7Eoks/%c3%bc?webhook_token={token}&a=%32&b=x%20y&b=1"
    assert webhook_verify(seen, "s3cret") == Success(WebhookToken())


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("/hooks", "/hook"),
        ("a=1", "a=2"),
        ("a=1&", ""),
        ("c=&", ""),
        ("a=1", "a=1&c=3"),
        ("a=1&a=0", "a=0&a=1"),
        ("webhook_reference=j", "webhook_reference=k"),
        ("webhook_reference=j&", ""),
        ("webhook_expires=1795521600", "webhook_expires=1795521601"),
        ("webhook_expires=1795521600&", ""),
        ("webhook_token=", "webhook_token=0"),
        ("webhook_token=", "webhook_token=%FF"),
    ],
)
def test_address_that_was_changed_is_refused(part, other):
    url = made(f"{ADDRESS}?c=&a=1&a=0", reference="j", expires=NOON)
    assert part in url
    changed = webhook_verify(url.replace(part, other), "s3cret", now=0)
    assert refused(changed) == ("$.query.webhook_token", "wrong")


def test_address_without_token_is_refused():
    assert refused(webhook_verify(ADDRESS, "s3cret")) == ("$.query.webhook_token", "missing")


def test_address_with_two_tokens_is_refused():
    doubled = webhook_verify(f"{made()}&webhook_token=x", "s3cret")
    assert refused(doubled) == ("$.query.webhook_token", "given more than once")


def test_address_expires_to_the_second():
    url = made(expires=NOON + timedelta(microseconds=999_999))
    assert webhook_verify(url, "s3cret", now=NOON - timedelta(microseconds=1)) == Success(WebhookToken(expires=NOON))
    for now in (NOON, NOON.timestamp(), NOON.astimezone(timezone(timedelta(hours=5)))):
        assert refused(webhook_verify(url, "s3cret", now=now)) == (
            "$.query.webhook_expires",
            "expired at 2026-11-24T12:00:00+00:00",
        )


def test_default_time_is_now():
    assert refused(webhook_verify(made(expires=0), "s3cret"))[0] == "$.query.webhook_expires"
    forever = datetime.max.replace(tzinfo=UTC)
    assert webhook_verify(made(expires=forever), "s3cret").unwrap().expires == forever.replace(microsecond=0)


def test_wrong_token_wins_over_expired():
    assert refused(webhook_verify(made(expires=0), "other")) == ("$.query.webhook_token", "wrong")


@pytest.mark.parametrize("expires", ["soon", "", "1" * 30, "1" * 5000])
def test_invalid_time_is_refused(expires):
    signed = json.dumps(["comfydeploy webhook", "/", [["webhook_expires", expires]]])
    token = hmac.digest(b"s3cret", signed.encode(), "sha256").hex()
    result = webhook_verify(f"/?webhook_expires={expires}&webhook_token={token}", "s3cret")
    assert refused(result) == ("$.query.webhook_expires", "expected seconds since 1970")


@pytest.mark.parametrize("secret", ["s3cret", b"s3cret", "sécret", b"\xff", "\udcff", ["new", b"old"], ("new", "old")])
def test_secret_is_text_bytes_or_several(secret):
    assert webhook_verify(made(secret=secret), secret) == Success(WebhookToken())


def test_text_is_secret_that_its_utf8_is():
    assert webhook_verify(made(secret="é"), "é".encode()) == Success(WebhookToken())


def test_secrets_are_replaced_one_at_time():
    before, after = made(secret=["old"]), made(secret=["new", "old"])
    assert after == made(secret="new")
    for url in (before, after):
        assert webhook_verify(url, ["new", "old"]) == Success(WebhookToken())
    assert refused(webhook_verify(before, ["new"])) == ("$.query.webhook_token", "wrong")


@pytest.mark.parametrize(
    "secret", ["", b"", [], (), ["good", ""], [b""], None, 5, ["good", None], {"s"}, bytearray(b"s")]
)
def test_invalid_secret_is_named_not_shown(secret):
    for result in (webhook_url(ADDRESS, secret), webhook_verify(made(), secret)):
        assert isinstance(result.failure(), errors.InvalidRequestError)
        assert str(result.failure()) == "secret: expected text or bytes, or a list of them, and none empty"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "address: expected an address such as https://host/api, got ''"),
        ("example.com/hooks", "address: expected an address"),
        ("/hooks", "address: expected an address"),
        ("ftp://example.com/", "address: expected an address"),
        ("https:///hooks", "address: expected an address"),
        ("https://[/", "address: not an address"),
        ("https://u:p@example.com/", "address: an address must not contain a user name or password"),
        ("https://example.com/#top", "address: must not contain a fragment"),
        ("https://example.com/?a=1#top", "address: must not contain a fragment"),
        ("https://example.com/a b", "address: must not contain a fragment, a semicolon"),
        ("https://example.com/?a=\n", "address: must not contain a fragment, a semicolon, a backslash, whitespace or"),
        ("https://example.com/?a=1;b=2", "address: must not contain a fragment, a semicolon"),
        ("https://example.com/a;b", "address: must not contain a fragment, a semicolon"),
        ("https://example.com/a\\b", "address: must not contain a fragment, a semicolon, a backslash"),
        ("https://example.com/a%2Fb", "address: must not contain %2F in its path"),
        ("https://example.com/a%00", "address: must not contain %00 in its path"),
        ("https://example.com/?a=%3b", "address: a parameter: must not contain a semicolon"),
        ("https://example.com/?a=%FF", "address: a parameter: must not contain a semicolon, a backslash or control"),
        ("https://example.com/?a%5C=1", "address: a parameter: must not contain a semicolon, a backslash"),
        ("https://example.com/a/../b", "address: a path must not contain . or .., which the sender removes"),
        ("https://example.com/%2e", "address: a path must not contain . or .."),
        ("https://example.com/?webhook_token=x", "address: it has a webhook_token already"),
        ("https://example.com/?webhook%5Freference", "address: it has a webhook_reference already"),
        ("https://example.com/\ud800", "address: cannot be encoded as UTF-8"),
        (b"https://example.com/", "address: expected a string, got bytes"),
        (None, "address: expected a string, got NoneType"),
    ],
)
def test_address_that_cannot_be_signed_is_named(address, said):
    error = webhook_url(address, "s3cret").failure()
    assert isinstance(error, errors.InvalidRequestError)
    assert str(error).startswith(said)


@pytest.mark.parametrize(
    "behind",
    ["#", "#&webhook_reference=other", ";a=1", "\\", " ", "\n", "\t", "\x00", "\x7f", "\u2028", "\xa0"],
)
def test_ambiguous_address_is_refused(behind):
    said = "must not contain a fragment, a semicolon, a backslash, whitespace or control characters"
    assert refused(webhook_verify(made(reference="j") + behind, "s3cret")) == ("$.url", said)
    assert refused(webhook_verify(f"/x{behind}" + made().removeprefix("https://example.com"), "s3cret"))[0] == "$.url"


@pytest.mark.parametrize("escape", ["%2F", "%2f", "%5c", "%3B", "%3F", "%23", "%25", "%00", "%0a", "%1F", "%7F"])
def test_delimiter_escaped_in_path_is_refused(escape):
    url = made("https://example.com/hooks/comfy").replace("hooks/", f"hooks{escape}")
    assert refused(webhook_verify(url, "s3cret")) == ("$.url", f"must not contain {escape} in its path")


@pytest.mark.parametrize("name", ["webhook_reference", "webhook%5Freference", "webhook_expires", "webhook_token"])
def test_parameter_of_ours_is_given_once(name):
    url = made(reference="j", expires=NOON)
    plain = name.replace("%5F", "_")
    for doubled in (f"{url}&{name}=1", url.replace("?", f"?{name}=1&")):
        assert refused(webhook_verify(doubled, "s3cret", now=0)) == (f"$.query.{plain}", "given more than once")


@pytest.mark.parametrize("reference", ["a;b", "a\\b", "a\nb", "\u200b"])
def test_ambiguous_reference_is_refused(reference):
    error = webhook_url(ADDRESS, "s3cret", reference=reference).failure()
    assert str(error) == "reference: must not contain a semicolon, a backslash or control characters"


def test_escapes_of_invalid_utf8_differ():
    path = "https://example.com/%FF"
    assert webhook_verify(made(path), "s3cret") == Success(WebhookToken())
    assert refused(webhook_verify(made(path).replace("%FF", "%FE"), "s3cret"))[1] == "wrong"


def test_exception_has_fate_not_sent():
    class Broken(list):
        def __iter__(self):
            raise RuntimeError

    assert webhook_url(ADDRESS, Broken("s")).failure().fate == "not_sent"


def test_time_that_is_refused_has_no_cause():
    signed = json.dumps(["comfydeploy webhook", "/", [["webhook_expires", "soon"]]])
    token = hmac.digest(b"s3cret", signed.encode(), "sha256").hex()
    error = webhook_verify(f"/?webhook_expires=soon&webhook_token={token}", "s3cret").failure()
    assert (error.__cause__, error.__suppress_context__) == (None, True)


def test_of_two_semicolons_first_ends_media_type():
    headers = {"content-type": "application/json; a=b; c=d"}
    assert isinstance(webhook_parse("POST", headers, '{"run_id": "r", "status": "x"}'), Success)


@pytest.mark.parametrize("reference", [7, b"job", "\ud800"])
def test_reference_must_be_text(reference):
    error = webhook_url(ADDRESS, "s3cret", reference=reference).failure()
    assert isinstance(error, errors.InvalidRequestError)
    assert str(error).startswith(("reference: expected ", "reference: cannot be encoded"))


@pytest.mark.parametrize(
    "time", [NOON.replace(tzinfo=None), True, "tomorrow", float("nan"), float("inf"), 1e300, -1e300]
)
def test_time_must_be_aware_datetime_or_seconds(time):
    for name, result in (
        ("expires", webhook_url(ADDRESS, "s3cret", expires=time)),
        ("now", webhook_verify(made(), "s3cret", now=time)),
    ):
        assert isinstance(result.failure(), errors.InvalidRequestError)
        assert str(result.failure()) == f"{name}: expected an aware datetime or seconds since 1970"


@pytest.mark.parametrize("url", [None, b"/hooks", "/\ud800"])
def test_verified_address_must_be_text(url):
    error = webhook_verify(url, "s3cret").failure()
    assert isinstance(error, errors.InvalidRequestError)
    assert str(error).startswith(("url: expected ", "url: cannot be encoded"))


def test_no_error_shows_secret_or_token():
    url = made(reference="j", expires=0)
    token = url.rpartition("=")[2]
    for result in (
        webhook_verify(url, "s3cret"),
        webhook_verify(url.replace("=j", "=k"), "s3cret"),
        webhook_verify(f"{url}&webhook_token={token}", "s3cret"),
        webhook_url(url, "s3cret"),
    ):
        error = result.failure()
        shown = f"{error} {error!r} {getattr(error, 'problems', '')} {getattr(error, 'raw_value', '')}"
        assert "s3cret" not in shown
        assert token not in shown


def test_log_hides_token_of_address():
    token = made().rpartition("=")[2]
    for text in (made(), json.dumps({"webhook": made(f"{ADDRESS}?a=1")})):
        assert token not in redacted_text(text)


def test_exception_of_argument_is_the_cause():
    class Broken(list):
        def __iter__(self):
            raise RuntimeError("no more secrets")

    for result in (webhook_url(ADDRESS, Broken("s")), webhook_verify(made(), Broken("s"))):
        assert isinstance(result.failure(), errors.UnexpectedClientError)
        assert isinstance(result.failure().__cause__, RuntimeError)


def test_lack_of_memory_passes_through():
    class Huge(list):
        def __iter__(self):
            raise MemoryError

        def items(self):
            raise MemoryError

    with pytest.raises(MemoryError):
        webhook_url(ADDRESS, Huge("s"))
    with pytest.raises(MemoryError):
        webhook_parse("POST", Huge(), "{}")


@given(
    path=st.text(st.characters(exclude_characters="?#", exclude_categories=["C", "Z"])),
    query=st.text(st.characters(exclude_characters="#", exclude_categories=["C", "Z"])),
    reference=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    expires=st.none() | st.integers(1, 10**10) | st.datetimes(NOON.replace(tzinfo=None), timezones=st.just(UTC)),
)
def test_address_verifies_as_sent_by_httpx(path, query, reference, expires):
    made_it = webhook_url(f"https://example.com/{path}?{query}", "s3cret", reference=reference, expires=expires)
    assume(isinstance(made_it, Success))
    url = made_it.unwrap()
    sent = httpx.URL(url).raw_path.decode()
    for seen in (url, sent, f"http://127.0.0.1:8000{sent}"):
        token = webhook_verify(seen, "s3cret", now=0).unwrap()
        assert token.reference == reference
        assert (token.expires is None) == (expires is None)


@given(address=anything, secret=anything, reference=anything, expires=anything)
def test_making_address_never_raises(address, secret, reference, expires):
    result = webhook_url(address, secret, reference=reference, expires=expires)
    assert isinstance(result.failure(), errors.InvalidRequestError)


@given(url=anything | st.from_regex(r"\A/?.*\?webhook_(token|expires)=.*\Z"), secret=anything, now=anything)
def test_verifying_address_never_raises(url, secret, now):
    result = webhook_verify(url, secret, now=now)
    assert isinstance(result.failure(), errors.InvalidRequestError | errors.SDKValidationError)


# --- a delivery


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_every_recorded_delivery_is_read(delivery):
    document = json.loads(delivery["body"])
    delivered = webhook_parse(delivery["method"], delivery["headers"], delivery["body"]).unwrap()
    assert delivered.raw == document
    assert [delivered.run_id, delivered.status, delivered.progress] == [
        document[name] for name in ("run_id", "status", "progress")
    ]
    assert [output.id for output in delivered.outputs] == [output["id"] for output in document["outputs"]]


def test_recordings_have_repetitions_by_get():
    assert {delivery["method"] for recording in RECORDED for delivery in recording["deliveries"]} == {"POST", "GET"}


@pytest.mark.parametrize("text", ['{"run_id": "r", "status": "running"}', b'{"run_id": "r", "status": "running"}'])
@pytest.mark.parametrize("method", ["POST", "GET", "post"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"content-type": "application/json"},
        {"CONTENT-TYPE": "Application/JSON; charset=utf-8"},
        {"x": "y", "Content-Type": "application/cloudevents+json"},
    ],
)
def test_content_type_is_optional(method, headers, text):
    assert webhook_parse(method, headers, text) == Success(body())


@pytest.mark.parametrize(
    ("method", "headers", "text", "problem"),
    [
        ("PUT", JSON, "{}", ("$.method", "expected POST or GET, got 'PUT'")),
        ("HEAD", {}, "", ("$.method", "expected POST or GET, got 'HEAD'")),
        (
            "POST",
            {"Content-Type": "text/plain; charset=utf-8"},
            "{}",
            ("$.headers.content-type", "expected application/json, got 'text/plain'"),
        ),
        ("GET", JSON, b"", ("$.body", "expected JSON: Expecting value: line 1 column 1 (char 0)")),
        ("POST", JSON, "[" * 100_000, ("$.body", "expected JSON: ")),
        ("POST", JSON, "[]", ("$", "expected an object, got list")),
        ("POST", JSON, '{"run_id": "r"}', ("$.status", "required, but missing")),
        ("POST", JSON, '{"run_id": 5, "status": "x"}', ("$.run_id", "expected a string, got int")),
        ("POST", JSON, '{"run_id": "r", "status": "x", "outputs": 5}', ("$.outputs", "expected a list, got int")),
        ("POST", JSON, '{"run_id": null, "status": "x", "outputs": [5]}', ("$.run_id", "expected a string, got null")),
    ],
)
def test_refusal_names_the_expected(method, headers, text, problem):
    result = webhook_parse(method, headers, text)
    path, reason = refused(result)
    assert (path, reason[: len(problem[1])]) == problem
    assert result.failure().fate == "answered"


@pytest.mark.parametrize("text", [b"\xff\xfe{", b"{\xff}", "\ufeff{}", "NaN", "1" * 5000])
def test_body_must_be_a_json_object(text):
    path, _ = refused(webhook_parse("POST", JSON, text))
    assert path in ("$", "$.body")


@pytest.mark.parametrize(
    "arguments",
    [
        (None, {}, ""),
        ("POST", None, ""),
        ("POST", {5: "x"}, ""),
        ("POST", {"Content-Type": None}, ""),
        ("POST", {}, None),
    ],
)
def test_invalid_request_is_refused(arguments):
    path, reason = refused(webhook_parse(*arguments))
    assert path == "$"
    assert reason.startswith("expected a method of text, headers as a mapping of texts and a body of bytes or text: ")


@pytest.mark.parametrize("strange", [{"id": "o"}, output(run_id=None), None, "o"])
def test_unreadable_outputs_hide_no_others(strange):
    delivered = parsed(status="cancelled", outputs=[strange, output("good", ["a.png"])])
    assert [output.id for output in delivered.outputs] == ["good"]
    assert delivered.raw["outputs"][0] == strange


@given(method=anything, headers=anything, content=anything)
def test_reading_never_raises(method, headers, content):
    for arguments in ((method, headers, content), ("POST", headers, content), ("POST", {}, content)):
        assert isinstance(webhook_parse(*arguments).failure(), errors.SDKValidationError)


@given(json_values | st.fixed_dictionaries({"run_id": json_values, "status": json_values, "outputs": json_values}))
def test_reading_any_json_never_raises(document):
    match webhook_parse("POST", JSON, json.dumps(document)):
        case Success(delivered):
            assert json.dumps(delivered.raw) == json.dumps(document)
        case Failure(error):
            assert isinstance(error, errors.SDKValidationError)
            assert error.problems


# --- the answer


def test_answer_is_documented_one():
    content, status_code, headers = webhook_response()
    assert (json.loads(content), status_code, headers) == ({"status": "success"}, 200, JSON)


def test_answer_may_refuse():
    answer = webhook_response("who är you?", 401)
    assert (json.loads(answer.body), answer.status_code) == ({"status": "who är you?"}, 401)
    assert answer.headers == JSON


# --- the state


def test_first_delivery_makes_state():
    delivered = parsed(status="started", progress=0.5, live_status="Executing KSampler", outputs=[output()])
    assert webhook_progress(None, delivered) == WebhookProgress(
        run_id="r", status="started", progress=0.5, live_status="Executing KSampler", outputs=tuple(delivered.outputs)
    )


@pytest.mark.parametrize("recording", RECORDED, ids=[recording["name"] for recording in RECORDED])
def test_every_recorded_run_comes_to_its_end(recording):
    bodies = [webhook_parse(one["method"], one["headers"], one["body"]).unwrap() for one in recording["deliveries"]]
    ends = {one.status for one in bodies} & set(ENDS)
    state = folded(bodies)
    assert state.is_ended
    assert {state.status} == ends
    assert state.progress == max(one.progress for one in bodies)
    assert [one.id for one in state.outputs] == [one.id for one in max((b.outputs for b in bodies), key=len)]
    assert folded(bodies[::-1]) == state


@pytest.mark.parametrize("late", [*STATUSES, "a-new-word"])
@pytest.mark.parametrize("end", ENDS)
def test_late_delivery_does_not_reopen_a_run(end, late):
    assert folded([body(end), body(late)]).status == end
    assert folded([body(late), body(end)]).status == end


@pytest.mark.parametrize(("before", "after"), list(pairwise(STATUSES)))
def test_statuses_only_go_forward(before, after):
    assert folded([body(before), body(after)]).status == after
    assert folded([body(after), body(before)]).status == after
    assert not folded([body(after)]).is_ended


@pytest.mark.parametrize(("given_up", "end"), list(pairwise(["cancelled", "timeout", "failed", "success"])))
def test_final_status_ignores_order(given_up, end):
    assert folded([body(given_up), body(end)]).status == end
    assert folded([body(end), body(given_up)]).status == end


def test_known_status_replaces_unknown():
    assert folded([body("paused")]).status == "paused"
    assert not folded([body("paused")]).is_ended
    assert folded([body("paused"), body("not-started"), body("paused")]).status == "not-started"


def test_greatest_progress_keeps_its_text():
    state = folded(
        [
            body(progress=0.5, live_status="B"),
            body(progress=0.75, live_status="C"),
            body(progress=0.25, live_status="A"),
            body(progress=None, live_status="D"),
            body(progress=0.75, live_status=None),
        ]
    )
    assert (state.progress, state.live_status) == (0.75, "C")


@pytest.mark.parametrize("progress", [None, -1.0, 1.5, 50, float("nan"), float("inf"), 10**400])
def test_progress_outside_0_to_1_is_ignored(progress):
    assert folded([body(progress=0.5), body(progress=progress)]).progress == 0.5
    assert folded([body(progress=progress)]).progress == 0.0


def test_progress_from_0_to_1_is_kept():
    assert [folded([body(progress=progress)]).progress for progress in (0, 0.5, 1)] == [0, 0.5, 1]
    assert [folded([body(live_status=text)]).live_status for text in (None, "", "A")] == [None, None, "A"]


def test_outputs_of_one_time_are_in_order_of_id():
    assert [one.id for one in folded([parsed(outputs=[output("b"), output("a")])]).outputs] == ["a", "b"]


def test_late_outputs_are_added_oldest_first():
    second = output("a", ["2.png"], created_at="2026-11-24T12:00:02Z")
    first = output("b", ["1.png"], created_at="2026-11-24T12:00:01Z")
    state = folded([parsed(status="success", outputs=[second]), parsed(outputs=[first]), parsed(outputs=[])])
    assert (state.status, [one.id for one in state.outputs]) == ("success", ["b", "a"])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (output(images=["1", "2"]), output(images=["1"], output_id="name", updated_at="2026-11-24T12:00:01Z")),
        (output(output_id="name"), output(updated_at="2026-11-24T12:00:01Z")),
        (output(updated_at="2026-11-24T12:00:01Z"), output(updated_at="2026-11-24T12:00:00Z")),
        (output(updated_at="2026-11-24T12:00:01Z"), output(node_meta="z" * 100)),
        (output(node_meta="b"), output(node_meta="a")),
    ],
)
def test_more_complete_output_wins(better, worse):
    delivered = [parsed(outputs=[one]) for one in (better, worse)]
    for bodies in (delivered, delivered[::-1]):
        (kept,) = folded(bodies).outputs
        assert kept.raw == better


def test_delivery_of_another_run_changes_nothing():
    state = folded([body("queued")])
    assert webhook_progress(state, body("success", run_id="another")) is state


def test_state_cannot_be_changed():
    with pytest.raises(AttributeError):
        folded([body()]).status = "queued"


@st.composite
def runs(draw):
    """Deliveries of one run."""
    statuses = st.sampled_from([*STATUSES, "paused", "zzz", *ENDS])
    outputs = st.builds(
        output,
        st.sampled_from("abc"),
        st.lists(st.sampled_from(["1.png", "2.png"]), max_size=2),
        output_id=st.none() | st.just("name"),
        node_meta=st.integers(0, 2),
        created_at=st.none() | st.sampled_from(["2026-11-24T12:00Z", "2026-11-24T12:00:01Z"]),
        updated_at=st.none() | st.sampled_from(["2026-11-24T12:00:02Z", "2026-11-24T12:00:03Z"]),
    )
    delivery = st.builds(
        parsed,
        status=statuses,
        progress=st.none() | st.floats() | st.sampled_from([0, 0.25, 0.5, 1]),
        live_status=st.none() | st.sampled_from(["", "Executing A", "Executing B"]),
        outputs=st.lists(outputs, max_size=3),
    )
    return draw(st.lists(delivery, min_size=1, max_size=6))


@given(st.data(), runs())
def test_state_ignores_order_and_repetition(data, bodies):
    repeated = bodies + data.draw(st.lists(st.sampled_from(bodies), max_size=4))
    assert folded(data.draw(st.permutations(repeated))) == folded(bodies)


@given(runs())
def test_delivery_taken_in_twice_changes_nothing(bodies):
    state = folded(bodies)
    for one in bodies:
        assert webhook_progress(state, one) == state


@given(runs(), runs())
def test_state_never_goes_back(bodies, more):
    in_order = [*STATUSES, "cancelled", "timeout", "failed", "success"]
    rank = {status: place for place, status in enumerate(in_order)}
    delivered = bodies + more
    states = list(accumulate(delivered[1:], webhook_progress, initial=folded(delivered[:1])))
    for before, after in pairwise(states):
        assert rank.get(after.status, -1) >= rank.get(before.status, -1)
        assert after.is_ended or not before.is_ended
        assert after.progress >= before.progress
        assert {one.id for one in after.outputs} >= {one.id for one in before.outputs}
        assert sum(len(one.files) for one in after.outputs) >= sum(len(one.files) for one in before.outputs)


# --- the module


def test_import_loads_no_http_or_converter():
    code = "import comfydeploy.webhooks, json, sys; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(output)}
    assert not loaded & {"cattr", "cattrs", "httpx", "httpcore", "asyncio", "ssl", "flask", "starlette"}


def test_addresses_load_no_converter():
    code = (
        "import json, sys; from comfydeploy.webhooks import webhook_url, webhook_verify;"
        "webhook_verify(webhook_url('http://x', 's').unwrap(), 's').unwrap();"
        "print(json.dumps(sorted(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not {name.partition(".")[0] for name in json.loads(output)} & {"cattr", "cattrs", "httpx"}


def test_every_public_name_is_listed():
    assert list(webhooks.__all__) == sorted(webhooks.__all__)
    for name in webhooks.__all__:
        assert getattr(webhooks, name).__module__.startswith("comfydeploy.webhooks.")
