"""Hooks: plain functions that are called with requests and responses, and may replace them."""

from collections.abc import Callable

from attrs import frozen

from comfydeploy._wire.hook_context import HookContext
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import Error

__all__ = ["HookContext", "Hooks", "Reply", "Request", "SDKInit"]


@frozen
class SDKInit:
    """The start of a core: the address of its server."""

    server_url: str


@frozen(kw_only=True)
class Hooks:
    """Functions that are called at stages of a call. Each may return a replacement, or ``None`` to change nothing.

    The same functions are called for blocking and async calls, so they should not block. One that raises
    makes the call a ``Failure(UnexpectedClientError)``. No hook receives the token.

    ``sdk_init``: once, when the core is created. ``before_create_request``: once for each call. ``before_request``:
    before each attempt, with the request as it will be sent. ``after_success``: for each good response (the body of a
    stream is still to come, ``content`` is empty). ``after_error``: for each attempt that failed.
    """

    sdk_init: Callable[[SDKInit], SDKInit | None] | None = None
    before_create_request: Callable[[HookContext, Request], Request | None] | None = None
    before_request: Callable[[HookContext, Request], Request | None] | None = None
    after_success: Callable[[HookContext, Reply], Reply | None] | None = None
    after_error: Callable[[HookContext, Reply | None, Error], Error | None] | None = None
