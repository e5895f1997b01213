"""A call as a state machine: what is sent, what is sent again, and its final result."""

import json
import pickle

import httpx
import pytest
from attrs import evolve

from comfydeploy import ComfyDeployCore
from comfydeploy._wire.exchange import Exchange, Pause, Renew
from comfydeploy._wire.operation import returning, status
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy._wire.responses import IN_DOUBT
from comfydeploy._wire.upload import checked_upload
from comfydeploy.errors import (
    ConnectionError,
    HTTPValidationError,
    InvalidRequestError,
    RequestAbortedError,
    RequestTimeoutError,
    SDKError,
    SDKValidationError,
    UnexpectedClientError,
)
from comfydeploy.funcs import run_get, run_native, run_queue
from comfydeploy.hooks import HookContext, Hooks
from comfydeploy.models import CreateRunResponse
from comfydeploy.options import BackoffStrategy, RequestOptions, RetryConfig
from comfydeploy.result import Failure, Success

AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 3600.0))
JSON_TYPE = {"content-type": "application/json"}
STREAM_TYPE = {"content-type": "text/event-stream; charset=utf-8"}
GOOD = Reply(200, JSON_TYPE, b'{"run_id":"r"}')
TOKEN = "hunter2hunter2"
ISSUE = {"loc": ["body", "a"], "msg": "no", "type": "x"}
AFTER_THE_BUDGET = float("inf")


def answer(status, document=None, **headers):
    return Reply(status, JSON_TYPE | headers, json.dumps(document or {"detail": "no"}).encode())


def failure(result):
    assert isinstance(result, Failure), result
    return result.failure()


class Seen(list):
    """The calls of hooks, in order."""

    def hooks(self, name, **replacements):
        def recorded(stage):
            def hook(context, *data):
                self.append((name, stage, context, *data))
                replacement = replacements.get(stage)
                return replacement(*data) if callable(replacement) else replacement

            return hook

        stages = ("before_create_request", "before_request", "after_success", "after_error")
        return Hooks(**{stage: recorded(stage) for stage in stages})

    @property
    def order(self):
        return [(name, stage) for name, stage, *_ in self]


class TestWhatIsSent:
    def test_read_goes_to_server_with_our_headers(self, reading):
        request = reading().prepare().request
        assert (request.method, request.url, request.content) == ("GET", "https://server.test/api/thing", None)
        assert request.headers.keys() == {"accept", "user-agent"}
        assert request.headers["accept"] == "application/json"
        assert request.headers["user-agent"].startswith("comfydeploy-python/")

    def test_body_is_json(self, creating):
        request = creating().prepare().request
        assert (request.content, request.headers["content-type"]) == (b"{}", "application/json")

    def test_stream_is_requested(self, following):
        assert following().prepare().request.headers["accept"] == "text/event-stream"

    def test_headers_of_call_win(self, reading):
        request = reading(RequestOptions(headers={"X-Thing": "1", "User-Agent": "mine"})).prepare().request
        assert (request.headers["x-thing"], request.headers["user-agent"]) == ("1", "mine")

    def test_server_of_call_wins(self, reading):
        assert reading(RequestOptions(server_url="http://other/")).prepare().request.url == "http://other/thing"

    def test_token_is_no_part_of_it(self, reading):
        attempt = reading(token=TOKEN).prepare()
        assert TOKEN not in repr(attempt)
        assert "authorization" not in attempt.request.headers
        assert attempt.headers["authorization"] == f"Bearer {TOKEN}"

    def test_every_attempt_sends_same(self, creating):
        exchange = creating(retry_config=AT_ONCE)
        first = exchange.prepare().request
        exchange.settle(answer(503))
        assert exchange.prepare().request == first

    def test_limits_of_core_call_and_operation(self, reading, following):
        assert reading(RequestOptions(timeout=5), timeout=7).prepare().limits["read"] == 5
        assert reading(timeout=httpx.Timeout(7)).prepare().limits["pool"] == 7
        read, stream = reading().prepare(), following().prepare()
        assert (read.limits["read"], read.is_lasting) == (60.0, False)
        assert (stream.limits["read"], stream.is_lasting) == (None, True)
        assert following(RequestOptions(idle_timeout=3)).prepare().idle_limit == 3


class TestWhatIsWrongBeforeAnythingIsSent:
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({}, "options"),
            (RequestOptions(timeout="5"), "options.timeout"),
            (RequestOptions(idle_timeout=0), "options.idle_timeout"),
            (RequestOptions(retries="often"), "options.retries"),
            (RequestOptions(retry_codes="500"), "options.retry_codes"),
            (RequestOptions(server_url="nowhere"), "options.server_url"),
            (RequestOptions(headers={"a b": "c"}), "headers"),
        ],
    )
    def test_wrong_option_is_named(self, reading, options, name):
        with pytest.raises((SDKValidationError, InvalidRequestError), match=rf"^{name}: ") as caught:
            reading(options)
        assert caught.value.fate == "not_sent"

    @pytest.mark.parametrize("wrong", [{"timeout": -1}, {"retry_config": 5}])
    def test_wrong_setting_of_core_is_named(self, reading, wrong):
        with pytest.raises(SDKValidationError, match=rf"^{next(iter(wrong))}: "):
            reading(**wrong)

    def test_invalid_core_fails_each_call(self, reading):
        with pytest.raises(InvalidRequestError, match="no such server"):
            reading(address=InvalidRequestError("no such server"))

    def test_arguments_that_do_not_fit_are_named(self, following, calling, changed):
        def encode(_):
            raise SDKValidationError("no such thing")

        with pytest.raises(SDKValidationError, match="no such thing"):
            calling(changed(encode=encode), None)


class TestAnAnswer:
    def test_good_one_is_value(self, reading):
        assert reading().settle(GOOD) == Success(CreateRunResponse(run_id="r"))

    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=x", "application/hal+json"]
    )
    def test_json_has_several_names(self, reading, content_type):
        assert isinstance(reading().settle(evolve(GOOD, headers={"content-type": content_type})), Success)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 503])
    def test_refusal_is_sdk_error(self, reading, status):
        error = failure(reading().settle(answer(status, {"detail": "no"})))
        assert isinstance(error, SDKError)
        assert (error.status_code, error.detail, error.hint, error.fate) == (status, "no", None, "answered")

    def test_422_names_fields(self, reading):
        issue = {"loc": ["body", "a"], "msg": "no", "type": "x"}
        error = failure(reading().settle(answer(422, {"detail": [issue]})))
        assert isinstance(error, HTTPValidationError)
        assert [found.raw for found in error.detail] == [issue]

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_redirect_is_error(self, reading, status):
        error = failure(reading().settle(answer(status, location="http://elsewhere")))
        assert isinstance(error, SDKError)
        assert "never followed" in str(error)

    @pytest.mark.parametrize(("status", "hint"), [(404, None), (500, "Look first."), (502, "Look first.")])
    def test_500_of_creation_is_hinted(self, creating, status, hint):
        error = failure(creating().settle(answer(status)))
        assert error.hint == hint
        assert str(error).endswith("Look first.") is (hint is not None)

    @pytest.mark.parametrize("content_type", ["text/html", "image/png", "text/event-stream", ""])
    def test_another_content_type_is_error(self, reading, creating, content_type):
        reply = Reply(200, {"content-type": content_type}, b"<p>")
        error = failure(reading().settle(reply))
        assert isinstance(error, SDKError)
        assert (error.status_code, error.content_type, error.body, error.hint) == (200, content_type, "<p>", None)
        assert f"answered with {content_type or 'no content type'} in place of application/json" in str(error)
        assert "A run may have been created" in failure(creating().settle(reply)).hint

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run_id":5}'])
    def test_answer_that_does_not_fit_was_answered(self, reading, content):
        error = failure(reading().settle(evolve(GOOD, content=content)))
        assert isinstance(error, SDKValidationError)
        assert error.fate == "answered"

    def test_stream_is_opened(self, following):
        response, client = object(), object()
        opened = following().settle(Reply(200, STREAM_TYPE, source=(response, client))).unwrap()
        assert (opened.response, opened.client) == (response, client)
        assert opened.decoder.feed(b'event: event_update\ndata: {"event": "queuing"}\n\n')

    def test_json_in_place_of_stream_is_error(self, following):
        error = failure(following().settle(GOOD))
        assert "answered with application/json in place of text/event-stream" in str(error)

    def test_problem_json_for_stream_is_error(self, following):
        error = failure(following().settle(evolve(GOOD, headers={"content-type": "application/problem+json"})))
        assert "answered with application/problem+json in place of text/event-stream" in str(error)

    @pytest.mark.parametrize("error", [ConnectionError("x", "answered"), RequestTimeoutError("x", "not_sent")])
    def test_no_answer_is_error_as_it_is(self, reading, error):
        assert failure(reading().settle(error)) is error

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run_id":5}'])
    def test_unreadable_answer_to_creation_is_hinted(self, creating, content):
        assert "A run may have been created" in failure(creating().settle(evolve(GOOD, content=content))).hint

    def test_undecodable_creation_is_hinted(self, creating):
        unread = SDKError("cannot be decompressed", 200)
        unread.__cause__ = OSError("zlib")
        error = failure(creating().settle(unread))
        assert "A run may have been created" in error.hint
        assert error.__cause__ is unread.__cause__

    def test_422_names_fields_of_sent_form(self, calling):
        forms = ["WorkflowRunVersionRequest", "WorkflowRunRequest", "DeploymentRunRequest", "ModelRunRequest"]
        issues = [ISSUE | {"loc": ["body", form, "gpu"]} for form in forms]
        common = [ISSUE | {"loc": loc} for loc in (["body", "gpu"], ["body", 5], ["body"], [], ["query", "ARequest"])]
        for form, key in zip(forms, ["workflow_version_id", "workflow_id", "deployment_id"], strict=False):
            request = {key: "x"} | ({"workflow_api_json": {}} if key == "workflow_id" else {})
            error = failure(calling(run_queue.OPERATION, request).settle(answer(422, {"detail": issues + common})))
            named = [issue.loc for issue in error.detail]
            assert named == [["body", form, "gpu"], *(issue["loc"] for issue in common)]

    @pytest.mark.parametrize("changed_to", [b"[]", b"{", None, b"{}"])
    def test_of_unknown_form_all_fields_are_named(self, calling, changed_to):
        issues = [ISSUE | {"loc": ["body", form, "gpu"]} for form in ("WorkflowRunRequest", "DeploymentRunRequest")]
        hooks = [Hooks(before_create_request=lambda _, request: evolve(request, content=changed_to))]
        exchange = calling(run_queue.OPERATION, {"deployment_id": "d"}, hooks=hooks)
        assert len(failure(exchange.settle(answer(422, {"detail": issues}))).detail) == 2

    @pytest.mark.parametrize(
        ("reply", "hinted"),
        [
            (answer(404, {"detail": "Not Found"}), True),
            (Reply(404, {"content-type": "text/html"}, b"<p>"), True),
            (Reply(404, {"content-type": "text/plain"}, b"404 page not found"), True),
            (answer(404, {"detail": "Run not found"}), False),
            (answer(500, {"detail": "Not Found"}), False),
        ],
    )
    def test_address_without_api_is_hinted(self, reading, reply, hinted):
        error = failure(reading(address="https://server.test").settle(reply))
        hint = "There is no such route at https://server.test/thing: server_url must end in /api."
        assert error.hint == (hint if hinted else None)
        assert failure(reading().settle(reply)).hint is None


class TestTryingAgain:
    def test_read_is_tried_until_it_works(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        for outcome in (answer(500), answer(429), ConnectionError("x", "unknown"), RequestTimeoutError("x", "unknown")):
            assert exchange.settle(outcome) == Pause(0.0)
        assert isinstance(exchange.settle(GOOD), Success)

    def test_refusal_ends_it(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        assert exchange.settle(answer(503)) == Pause(0.0)
        assert failure(exchange.settle(answer(404))).status_code == 404

    def test_creation_is_retried_if_nothing_exists(self, creating):
        for outcome in (answer(429), answer(503), ConnectionError("x", "not_sent")):
            assert creating(retry_config=AT_ONCE).settle(outcome) == Pause(0.0)
        for outcome in (answer(500), answer(502), answer(504), ConnectionError("x", "unknown")):
            assert isinstance(creating(retry_config=AT_ONCE).settle(outcome), Failure)

    def test_creation_is_retried_after_own_codes(self, creating):
        options = RequestOptions(retry_codes=[500])
        assert creating(options, retry_config=AT_ONCE).settle(answer(500)) == Pause(0.0)
        assert isinstance(creating(options, retry_config=AT_ONCE).settle(answer(503)), Failure)

    def test_permanent_answer_is_final(self, calling, changed):
        permanent = changed(is_permanent=status(500, containing=b"no"))
        assert isinstance(calling(permanent, None, retry_config=AT_ONCE).settle(answer(500)), Failure)
        assert calling(permanent, None, retry_config=AT_ONCE).settle(answer(502)) == Pause(0.0)

    def test_pause_follows_retry_after(self, reading):
        assert reading(retry_config=AT_ONCE).settle(answer(503, **{"retry-after": "7"})) == Pause(7.0)

    def test_no_retries_by_default(self, reading):
        assert isinstance(reading().settle(answer(503)), Failure)

    def test_retries_of_call_suffice(self, reading):
        assert reading(RequestOptions(retries=AT_ONCE)).settle(answer(503)) == Pause(0.0)

    def test_broken_upload_is_repeated_twice(self, calling, changed):
        upload = checked_upload(b"x", "a.png", None)
        sending = changed(encode=lambda _: Request("POST", "/x", upload=upload))
        lost, read = ConnectionError("x", "unknown"), calling(changed(), None, retry_config=AT_ONCE)
        for third in (lost, answer(503)):
            exchange = calling(sending, None, retry_config=AT_ONCE)
            assert [exchange.settle(lost) for _ in range(2)] == [Pause(0.0)] * 2
            assert isinstance(exchange.settle(third), Failure) is (third is lost)
        assert [read.settle(lost) for _ in range(4)] == [Pause(0.0)] * 4

    def test_answer_that_does_not_fit_is_final(self, reading):
        assert isinstance(reading(retry_config=AT_ONCE).settle(evolve(GOOD, content=b"{")), Failure)


class TestRenewing:
    def test_callable_bearer_is_read_once_more(self, creating):
        exchange = creating(bearer=lambda: "key")
        step = exchange.settle(answer(401))
        assert isinstance(step, Renew)
        assert failure(step.failure).status_code == 401
        exchange.prepare()
        assert failure(exchange.settle(answer(401))).status_code == 401

    @pytest.mark.parametrize("status", [200, 403, 500])
    def test_only_401_renews_it(self, creating, status):
        assert not isinstance(creating(bearer=lambda: "key").settle(answer(status)), Renew)

    def test_constant_key_is_never_renewed(self, creating):
        assert failure(creating().settle(answer(401))).status_code == 401


class TestDoubt:
    @pytest.fixture
    def insisting(self, creating):
        return lambda: creating(RequestOptions(retry_codes=[500, 503]), retry_config=AT_ONCE)

    @pytest.mark.parametrize("kind", [ConnectionError, RequestTimeoutError])
    def test_earlier_attempt_may_have_worked(self, insisting, kind):
        exchange = insisting()
        assert exchange.settle(answer(500)) == Pause(0.0)
        error = failure(exchange.settle(kind("refused", "not_sent"), AFTER_THE_BUDGET))
        assert (type(error), error.message, error.fate) == (kind, "refused", "unknown")

    def test_doubt_stays_until_end(self, insisting):
        exchange = insisting()
        for outcome in (answer(500), answer(503), ConnectionError("x", "not_sent")):
            assert exchange.settle(outcome) == Pause(0.0)
        assert failure(exchange.settle(ConnectionError("x", "not_sent"), AFTER_THE_BUDGET)).fate == "unknown"

    @pytest.mark.parametrize("before", [answer(503), ConnectionError("x", "not_sent")])
    def test_earlier_attempt_created_nothing(self, insisting, before):
        exchange = insisting()
        assert exchange.settle(before) == Pause(0.0)
        assert failure(exchange.settle(ConnectionError("x", "not_sent"), AFTER_THE_BUDGET)).fate == "not_sent"

    def test_read_leaves_no_doubt(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        assert exchange.settle(answer(500)) == Pause(0.0)
        assert failure(exchange.settle(ConnectionError("x", "not_sent"), AFTER_THE_BUDGET)).fate == "not_sent"

    def test_answer_does_not_end_it(self, insisting):
        exchange = insisting()
        assert exchange.settle(answer(500)) == Pause(0.0)
        error = failure(exchange.settle(answer(404)))
        assert (error.status_code, error.fate) == (404, "unknown")
        assert "A run may have been created" in str(error)

    def test_broken_read_leaves_doubt(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        assert exchange.settle(ConnectionError("x", "unknown")) == Pause(0.0)
        assert failure(exchange.settle(ConnectionError("x", "not_sent"), AFTER_THE_BUDGET)).fate == "unknown"

    @pytest.mark.parametrize("error", [RequestAbortedError("closed", "not_sent"), KeyError("hook")])
    def test_error_in_pause_is_unknown(self, insisting, error):
        exchange = insisting()
        exchange.settle(answer(500))
        exchange.prepare()
        assert failure(exchange.fail(error)).fate == "unknown"

    def test_error_of_ours_keeps_no_frames(self, reading):
        try:
            raise SDKValidationError("no")
        except SDKValidationError as error:
            assert failure(reading().fail(error)) is error
            assert error.__traceback__ is None

    def test_cause_is_kept(self, insisting):
        exchange = insisting()
        exchange.settle(answer(500))
        refused = ConnectionError("x", "not_sent")
        refused.__cause__ = OSError("low")
        assert failure(exchange.settle(refused, AFTER_THE_BUDGET)).__cause__ is refused.__cause__


class TestHooks:
    def test_they_are_called_in_order(self, reading):
        seen = Seen()
        exchange = reading(retry_config=AT_ONCE, hooks=[seen.hooks("a"), Hooks(), seen.hooks("b")])
        exchange.prepare()
        exchange.settle(answer(503))
        exchange.prepare()
        exchange.settle(GOOD)
        stages = ["before_create_request", "before_request", "after_error", "before_request", "after_success"]
        assert seen.order == [(name, stage) for stage in stages for name in "ab"]
        assert [context for _, _, context, *_ in seen[::2]] == [
            HookContext("a_read", attempt) for attempt in (0, 0, 0, 1, 1)
        ]

    def test_they_receive_request_and_response(self, reading):
        seen = Seen()
        exchange = reading(hooks=[seen.hooks("a")])
        request = exchange.prepare().request
        exchange.settle(GOOD)
        assert [data for _, _, _, *data in seen] == [[request], [request], [GOOD]]

    def test_one_may_change_request_of_call(self, reading):
        seen = Seen()
        change = seen.hooks("a", before_create_request=lambda request: evolve(request, url=request.url + "?x=1"))
        exchange = reading(hooks=[change, seen.hooks("b")])
        assert exchange.prepare().request.url == "https://server.test/api/thing?x=1"
        assert seen[1][3].url.endswith("?x=1")

    def test_one_may_change_request_of_each_attempt(self, reading):
        change = Seen().hooks("a", before_request=lambda request: request.with_headers({"X-A": "1"}))
        exchange = reading(
            hooks=[change, Seen().hooks("b", before_request=lambda request: evolve(request, method="PUT"))]
        )
        for _ in range(2):
            request = exchange.prepare().request
            assert (request.method, request.headers["x-a"], len(request.headers)) == ("PUT", "1", 3)

    def test_one_may_change_good_answer(self, reading):
        change = Seen().hooks("a", after_success=lambda reply: evolve(reply, content=b'{"run_id":"changed"}'))
        assert reading(hooks=[change]).settle(GOOD).unwrap().run_id == "changed"

    def test_changed_answer_keeps_open_connection(self, following):
        source = (object(), object())
        change = Seen().hooks("a", after_success=lambda reply: Reply(reply.status_code, reply.headers))
        assert following(hooks=[change]).settle(Reply(200, STREAM_TYPE, source=source)).unwrap()[:2] == source

    def test_after_error_for_each_failed_attempt(self, reading):
        seen = Seen()
        exchange = reading(retry_config=AT_ONCE, hooks=[Hooks(after_error=seen.hooks("a").after_error)])
        refused, reply = ConnectionError("x", "not_sent"), answer(404)
        exchange.settle(refused)
        result = exchange.settle(reply)
        assert [data for _, _, _, *data in seen] == [[None, refused], [reply, result.failure()]]

    def test_after_error_for_unreadable_answer(self, reading):
        seen = Seen()
        reply = evolve(GOOD, content=b"{")
        failure(reading(hooks=[seen.hooks("a")]).settle(reply))
        assert seen.order == [("a", "before_create_request"), ("a", "after_success"), ("a", "after_error")]

    def test_one_may_change_error(self, reading):
        seen = Seen()
        other = UnexpectedClientError("other", "answered")
        exchange = reading(hooks=[seen.hooks("a", after_error=other), seen.hooks("b")])
        assert failure(exchange.settle(answer(404))) is other
        assert seen[-1][4] is other

    def test_changed_error_does_not_change_retries(self, reading):
        other = UnexpectedClientError("other", "answered")
        exchange = reading(retry_config=AT_ONCE, hooks=[Hooks(after_error=lambda *_: other)])
        assert exchange.settle(answer(503)) == Pause(0.0)

    @pytest.mark.parametrize("stage", ["before_create_request", "before_request", "after_success", "after_error"])
    def test_wrong_return_type_is_named(self, reading, stage):
        def call():
            exchange = reading(hooks=[Seen().hooks("a", **{stage: 5})])
            exchange.prepare()
            exchange.settle(answer(404) if stage == "after_error" else GOOD)

        with pytest.raises(TypeError, match=rf"^{stage} returned int, expected "):
            call()

    @pytest.mark.parametrize("stage", ["before_create_request", "before_request", "after_success", "after_error"])
    def test_exception_passes_to_driver(self, reading, stage):
        def broken(*_):
            raise KeyError("broken")

        def call():
            exchange = reading(hooks=[Seen().hooks("a", **{stage: broken})])
            exchange.prepare()
            exchange.settle(answer(404) if stage == "after_error" else GOOD)

        with pytest.raises(KeyError, match="broken"):
            call()

    def test_fate_after_exception_is_answered(self, creating):
        def broken(*_):
            raise KeyError("broken")

        exchange = creating(hooks=[Hooks(after_success=broken)])
        with pytest.raises(KeyError) as caught:
            exchange.settle(GOOD)
        assert failure(exchange.fail(caught.value)).fate == "answered"

    def test_unchanged_parts_stay_same(self, reading):
        reply = evolve(GOOD, headers=JSON_TYPE | {"x": TOKEN}, content=json.dumps({"run_id": TOKEN}).encode())
        seen = Seen()
        change = Seen().hooks("a", after_success=lambda reply: evolve(reply, headers=JSON_TYPE))
        exchange = reading(token=TOKEN, hooks=[seen.hooks("s"), change])
        exchange.prepare()
        assert exchange.settle(reply).unwrap().run_id == TOKEN
        ((*_, shown),) = [call for call in seen if call[1] == "after_success"]
        assert (shown.headers["x"], shown.content) == ("[redacted]", b'{"run_id": "[redacted]"}')

    @pytest.mark.parametrize(
        ("content", "run_id"), [(b'{"run_id": "r"}', "r"), (b"{", None), (b'{"prompt_id": "r"}', None)]
    )
    def test_exception_after_creation_keeps_run_id(self, creating, content, run_id):
        exchange = creating(hooks=[Seen().hooks("a", after_success=5)])
        with pytest.raises(TypeError) as caught:
            exchange.settle(evolve(GOOD, content=content))
        assert failure(exchange.fail(caught.value)).run_id == run_id

    def test_exception_after_native_run_keeps_id(self, calling):
        exchange = calling(run_native.OPERATION, {"deployment_id": "d"}, hooks=[Seen().hooks("a", after_success=5)])
        with pytest.raises(TypeError) as caught:
            exchange.settle(evolve(GOOD, content=b'{"prompt_id": "r", "cd_token": "t"}'))
        assert failure(exchange.fail(caught.value)).run_id == "r"


class TestAShortToken:
    @pytest.mark.parametrize("token", ["t", "key", "json", "detail"])
    def test_changes_no_answer_and_no_error(self, calling, changed, token):
        good = calling(changed(), None, token, hooks=[Seen().hooks("a")])
        assert good.settle(evolve(GOOD, content=b'{"run_id": "key t json"}')).unwrap().run_id == "key t json"
        error = failure(calling(changed(), None, token).settle(answer(422, {"detail": [ISSUE]})))
        assert isinstance(error, HTTPValidationError)
        assert error.detail[0].msg == ISSUE["msg"]

    def test_of_digits_changes_no_class(self, calling, changed):
        reply = answer(422, {"detail": [ISSUE], "number": 12345678})
        error = failure(calling(changed(), None, "12345678").settle(reply))
        assert isinstance(error, HTTPValidationError)
        assert "12345678" not in error.body


class TestATokenThatTheServerSendsBack:
    @pytest.mark.parametrize("status", [200, 307, 404, 422, 500])
    @pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
    def test_is_in_no_error(self, calling, changed, status, content_type):
        exchange = calling(changed(), None, TOKEN)
        document = {"detail": [{"loc": [TOKEN], "msg": TOKEN, "type": "x"}], "run_id": [TOKEN]}
        reply = Reply(status, {"echo": f"Bearer {TOKEN}", "content-type": content_type}, json.dumps(document).encode())
        error = failure(exchange.settle(reply))
        values = [getattr(error, name) for name in error.__slots__ if hasattr(error, name)]
        assert TOKEN not in f"{error!s} {error!r} {values} {error.args}"
        assert "[redacted]" in str(values)

    def test_is_in_no_error_as_bytes(self, calling, changed):
        error = failure(calling(changed(), None, TOKEN).settle(Reply(500, {}, b"\xff" + TOKEN.encode())))
        assert error.body == b"\xff[redacted]"

    def test_is_in_no_error_that_is_cut_through_it(self, calling, changed):
        for start in range(280, 300):
            reply = Reply(500, {"content-type": "text/plain"}, b"x" * start + TOKEN.encode())
            assert "hunter2" not in str(failure(calling(changed(), None, TOKEN).settle(reply)))

    def test_in_nest_too_deep_to_search_is_dropped(self, calling, changed):
        reply = evolve(GOOD, content=b"[" * 900 + json.dumps(TOKEN).encode() + b"]" * 900)
        error = failure(calling(changed(), None, TOKEN).settle(reply))
        assert TOKEN not in f"{error.raw_value}"

    def test_is_left_in_value(self, calling, changed):
        reply = Reply(200, JSON_TYPE, json.dumps({"run_id": TOKEN}).encode())
        assert calling(changed(), None, TOKEN).settle(reply).unwrap().run_id == TOKEN

    def test_token_like_json_is_hidden(self, calling, changed):
        operation = changed(decode=returning(list[int]))
        error = failure(calling(operation, None, TOKEN).settle(Reply(200, JSON_TYPE, json.dumps([TOKEN]).encode())))
        assert error.raw_value == ["[redacted]"]


class TestASecretOfANativeRun:
    @pytest.mark.parametrize(
        ("content_type", "text"),
        [
            ("text/plain", '{"prompt_id": "r", "cd_token": "SECRET-1"}'),
            ("text/plain", "{'prompt_id': 'r', 'cd_token': 'SECRET-1'}"),
            ("text/html", "<prompt_id>r</prompt_id><cd_token>SECRET-1</cd_token>"),
            ("text/plain", "cd_token=SECRET-1&prompt_id=r"),
            ("application/json", '{"prompt_id": "r", "cd_token": "SECRET-1"'),
            ("application/json", '{"prompt_id": 5, "cd_token": "SECRET-1", "inputs": [{"access_token": "SECRET-2"}]}'),
            ("application/json", '[{"cd_token": "SECRET-1", "prompt_id": "r"}]'),
        ],
    )
    def test_is_in_no_error_of_its_answer(self, calling, content_type, text):
        exchange = calling(run_native.OPERATION, {"deployment_id": "d"})
        error = failure(exchange.settle(Reply(200, {"content-type": content_type}, text.encode())))
        values = [getattr(error, name) for name in error.__slots__ if hasattr(error, name)]
        assert "SECRET" not in f"{error!s} {error!r} {values}"
        assert b"SECRET" not in pickle.dumps(error)
        assert "prompt_id" in str(values)  # what else it holds stays readable
        assert "A run may have been created" in error.hint


class TestTheLog:
    @pytest.mark.parametrize("start", range(1_985, 2_000))
    def test_holds_no_token_that_is_cut(self, calling, changed, logger, start):
        exchange = calling(changed(), None, TOKEN, debug_logger=logger)
        exchange.settle(Reply(404, JSON_TYPE, b"x" * start + TOKEN.encode() + b"y" * 100))
        assert "hunter2" not in str(logger.lines)

    def test_holds_no_token_of_request_that_is_cut(self, calling, changed, logger):
        content = b"x" * 1_995 + TOKEN.encode()
        operation = changed(encode=lambda _: Request("POST", "/x", {}, content))
        calling(operation, None, TOKEN, debug_logger=logger)
        assert "hunte" not in str(logger.lines)

    def test_needs_no_more_than_debug(self, calling, changed):
        class Plain:
            lines = []  # noqa: RUF012 - one logger

            def debug(self, text, *values):
                self.lines.append(text % values)

        assert calling(changed(), None, debug_logger=Plain()).settle(GOOD) == Success(CreateRunResponse(run_id="r"))
        assert len(Plain.lines) == 2

    @pytest.mark.parametrize("wrong", [object(), "a logger"])
    def test_of_no_logger_breaks_no_call(self, calling, changed, wrong):
        assert calling(changed(), None, debug_logger=wrong).settle(GOOD) == Success(CreateRunResponse(run_id="r"))

    def test_that_raises_breaks_no_call(self, calling, changed, logger):
        def broken(_record):
            raise LookupError("filter")

        logger.addFilter(broken)
        assert calling(changed(), None, debug_logger=logger).settle(GOOD) == Success(CreateRunResponse(run_id="r"))

    def test_without_memory_passes_through(self, calling, changed, logger):
        def full(_record):
            raise MemoryError

        logger.addFilter(full)
        with pytest.raises(MemoryError):
            calling(changed(), None, debug_logger=logger)

    def test_logs_every_attempt_and_response(self, calling, changed, logger):
        exchange = calling(changed(), None, TOKEN, debug_logger=logger, retry_config=AT_ONCE)
        exchange.settle(answer(503))
        exchange.prepare()
        exchange.settle(ConnectionError("refused", "not_sent"))
        assert [line.split(": ", 2)[:2] for line in logger.lines] == [
            ["a_read", "attempt 0"],
            ["a_read", "attempt 0"],
            ["a_read", "attempt 1"],
            ["a_read", "attempt 1"],
        ]
        sent, answered, _, lost = logger.lines
        assert "https://server.test/api/thing" in sent
        assert "503" in answered
        assert "refused" in lost

    def test_never_holds_token(self, calling, changed, logger):
        def secretive(*_):
            return Request(
                "GET", f"https://{TOKEN}/x?token={TOKEN}", {"authorization": TOKEN, "x": TOKEN}, TOKEN.encode()
            )

        hooks = [Hooks(before_request=secretive)]
        exchange = calling(changed(), None, TOKEN, debug_logger=logger, hooks=hooks)
        exchange.settle(Reply(404, {"x": TOKEN, "set-cookie": TOKEN}, f"Bearer {TOKEN} {TOKEN}".encode()))
        assert len(logger.lines) == 2
        assert TOKEN not in str(logger.lines)

    def test_is_silent_above_debug(self, calling, changed, logger):
        logger.setLevel("INFO")
        calling(changed(), None, TOKEN, debug_logger=logger)
        assert logger.lines == []


class TestFacts:
    """What a call knows of its request, and adds to its error."""

    def test_deadline_shortens_limits(self, reading):
        exchange = reading(RequestOptions(deadline=5.0, idle_timeout=60.0))
        attempt = exchange.prepare(2.0)
        assert (attempt.limits["read"], attempt.limits["connect"], attempt.idle_limit) == (3.0, 3.0, 3.0)
        assert exchange.fate == "unknown"
        with pytest.raises(RequestTimeoutError, match="before the request was sent") as raised:
            exchange.prepare(5.0)
        assert raised.value.fate == exchange.fate == "not_sent"

    def test_lost_request_was_not_answered(self, reading):
        def fail(*_):
            raise KeyError("hook")

        exchange = reading(hooks=[Hooks(after_error=fail)])
        exchange.prepare()
        with pytest.raises(KeyError):
            exchange.settle(ConnectionError("x", "unknown"))
        assert exchange.fate == "unknown"

    def test_lost_request_renews_no_bearer(self, creating):
        assert failure(creating(bearer=lambda: "key").settle(ConnectionError("x", "unknown"))).fate == "unknown"

    def test_lost_request_is_not_permanent(self, calling, changed):
        exchange = calling(changed(is_permanent=status(500)), None, retry_config=AT_ONCE)
        assert exchange.settle(ConnectionError("x", "unknown")) == Pause(0.0)

    def test_answer_ends_doubt_of_read(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        assert exchange.settle(ConnectionError("x", "unknown")) == Pause(0.0)
        assert failure(exchange.settle(answer(404))).fate == "answered"

    def test_error_without_hint_has_the_doubt_alone(self, creating):
        exchange = creating(RequestOptions(retry_codes=[500]), retry_config=AT_ONCE)
        exchange.settle(answer(500))
        hint = failure(exchange.settle(ConnectionError("x", "not_sent"), AFTER_THE_BUDGET)).hint
        assert hint == IN_DOUBT["run"]

    def test_hint_of_unknown_request_stays_alone(self, creating):
        exchange = creating(RequestOptions(retry_codes=[500]), retry_config=AT_ONCE)
        exchange.settle(answer(500))
        lost = ConnectionError("x", "unknown", "Is it running?")
        assert failure(exchange.settle(lost, AFTER_THE_BUDGET)).hint == "Is it running?"

    def test_read_has_no_doubt_to_hint(self, reading):
        exchange = reading(retry_config=AT_ONCE)
        exchange.settle(ConnectionError("x", "unknown"))
        error = failure(exchange.settle(ConnectionError("x", "not_sent", "Is it running?"), AFTER_THE_BUDGET))
        assert (error.fate, error.hint) == ("unknown", "Is it running?")

    @pytest.mark.parametrize(("status", "kind"), [(None, None), (401, Renew), (503, Pause)])
    def test_request_between_attempts_is_not_sent(self, creating, status, kind):
        exchange = creating(bearer=lambda: "key", retry_config=AT_ONCE)
        if status is not None:
            exchange.prepare()
            assert isinstance(exchange.settle(answer(status)), kind)
        error = failure(exchange.fail(KeyError("bearer")))
        assert (type(error), error.fate) == (UnexpectedClientError, "not_sent")

    def test_retries_end_by_time_since_beginning(self):
        brief = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 10.0))
        with ComfyDeployCore(bearer="key", retry_config=brief) as core:
            exchange = Exchange(core, run_get.OPERATION, {"run_id": "r", "queue_position": None}, None, now=100.0)
            assert exchange.settle(answer(503), 109.0) == Pause(0.0)
            assert isinstance(exchange.settle(answer(503), 111.0), Failure)

    def test_final_response_before_deadline(self, reading):
        assert isinstance(reading(RequestOptions(deadline=9.0), retry_config=AT_ONCE).settle(answer(404)), Failure)

    def test_no_pause_ends_after_deadline(self, reading):
        after_5_s = answer(503, **{"retry-after": "5"})
        exchange = reading(RequestOptions(deadline=10.0), retry_config=AT_ONCE)
        assert exchange.settle(after_5_s, 4.9) == Pause(5.0)
        assert isinstance(exchange.settle(after_5_s, 5.0), Failure)

    def test_response_limit_of_call(self, reading):
        assert reading(RequestOptions(max_response_size=7)).prepare().max_size == 7
        assert reading().prepare().max_size == 64 * 1024 * 1024

    def test_limits_are_default_unless_chosen(self, reading):
        assert reading().prepare().has_default_limits
        assert not reading(timeout=5).prepare().has_default_limits
        assert not reading(RequestOptions(timeout=5)).prepare().has_default_limits

    def test_attempt_has_deadline_of_call(self, reading):
        exchange = reading(RequestOptions(deadline=5.0))
        assert exchange.prepare().deadline is exchange.deadline
        assert exchange.deadline == (0.0, 5.0)
        assert reading().prepare().deadline is None

    @pytest.mark.parametrize("kind", ["reading", "creating"])
    def test_hint_of_lost_request_stays(self, kind, request):
        call = request.getfixturevalue(kind)
        assert failure(call().settle(ConnectionError("x", "unknown", "Is it running?"))).hint == "Is it running?"

    def test_doubt_comes_before_hint(self, creating):
        exchange = creating(RequestOptions(retry_codes=[500]), retry_config=AT_ONCE)
        exchange.settle(answer(500))
        refused = ConnectionError("x", "not_sent", "Is it running?")
        hint = failure(exchange.settle(refused, AFTER_THE_BUDGET)).hint
        assert hint.startswith("A run may have been created")
        assert hint.endswith(". Is it running?")

    @pytest.mark.parametrize(
        ("argument", "creates", "known"),
        [({"run_id": "r"}, "nothing", "r"), ({"run_id": 5}, "nothing", None), ({"run_id": "r"}, "run", None)],
    )
    def test_run_is_that_of_argument(self, calling, changed, argument, creates, known):
        exchange = calling(changed(creates=creates), argument)
        assert exchange.run_id == known
        assert failure(exchange.settle(answer(404))).run_id == known

    def test_run_of_error_stays(self, calling, changed):
        exchange = calling(changed(), {"run_id": "r"})
        assert failure(exchange.settle(ConnectionError("x", "unknown", run_id="s"))).run_id == "s"

    def test_run_that_was_read_stays(self, calling, changed):
        def fail(*_):
            raise KeyError("hook")

        exchange = calling(changed(), {"run_id": "r"}, hooks=[Hooks(after_success=fail)])
        with pytest.raises(KeyError):
            exchange.settle(answer(200, {"run_id": "another"}))
        assert exchange.run_id == "r"

    @pytest.mark.parametrize(("level", "count"), [(10, 2), (11, 0)])
    def test_logger_is_called_at_its_level(self, calling, changed, level, count):
        lines = []

        class Logger:
            def isEnabledFor(self, severity):
                return severity == level

            def debug(self, *parts):
                lines.append(parts)

        calling(changed(), None, debug_logger=Logger()).settle(answer(404))
        assert len(lines) == count

    def test_header_that_hook_kept_is_whole(self, calling, changed):
        sent = answer(200, {"run_id": "r"}, echo="hunter2hunter2")
        read = changed(decode=lambda reply: reply.headers["echo"])
        hooks = [Hooks(after_success=lambda _, reply: evolve(reply, content=b"{}"))]
        assert calling(read, None, TOKEN, hooks=hooks).settle(sent) == Success(TOKEN)
