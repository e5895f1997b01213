"""What differs with llhttp: what it refuses, and interrupts in what it calls."""

import httpcore
import pytest
from connections_in_memory import OK, WHOLE

LlhttpResponse = pytest.importorskip("comfydeploy._http.llhttp_response").LlhttpResponse


@pytest.mark.parametrize("head", [OK + b"a: b\n\r\n", OK + b"a: b\r\n c\r\n\r\n"], ids=["bare line feed", "folded"])
def test_inexact_head_is_refused(head):
    with pytest.raises(httpcore.RemoteProtocolError, match="not HTTP"):
        LlhttpResponse().feed(head)


def test_http_1_0_may_be_kept():
    response = LlhttpResponse()
    response.feed(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n")
    assert response.may_stay


@pytest.mark.parametrize("method", ["on_header", "on_headers_complete", "on_message_complete"])
@pytest.mark.parametrize("handled", [False, True])
def test_ctrl_c_in_callback_is_raised(monkeypatch, method, handled):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(LlhttpResponse, method, interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_while_handling() if handled else LlhttpResponse().feed(WHOLE[0])


def read_while_handling():
    """Read while another exception is handled, which Python makes the context of the error that has the Ctrl-C."""
    try:
        raise KeyError
    except KeyError:
        LlhttpResponse().feed(WHOLE[0])
