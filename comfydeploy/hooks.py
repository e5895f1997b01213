"""Hooks: plain functions on data that see, and may replace, what goes out and what comes back."""

from collections.abc import Callable

from attrs import frozen

from comfydeploy._wire.hook_context import HookContext
from comfydeploy._wire.reply import Reply
from comfydeploy._wire.request import Request
from comfydeploy.errors import Error

__all__ = ["HookContext", "Hooks", "Reply", "Request", "SDKInit"]


@frozen
class SDKInit:
    """What a core starts with: the address of its server."""

    server_url: str


@frozen(kw_only=True)
class Hooks:
    """Functions to call on the way. Each may return a replacement, or ``None`` to leave things as they are.

    The same plain functions serve blocking and async calls, so they should not wait for anything. One that raises
    makes the call a ``Failure(UnexpectedClientError)``. No hook is shown the token.

    ``sdk_init``: once, when the core is made. ``before_create_request``: once for each call. ``before_request``:
    before each attempt, with the request as it will be sent. ``after_success``: for each good answer (the body of a
    stream is still to come, ``content`` is empty). ``after_error``: for each attempt that failed.
    """

    sdk_init: Callable[[SDKInit], SDKInit | None] | None = None
    before_create_request: Callable[[HookContext, Request], Request | None] | None = None
    before_request: Callable[[HookContext, Request], Request | None] | None = None
    after_success: Callable[[HookContext, Reply], Reply | None] | None = None
    after_error: Callable[[HookContext, Reply | None, Error], Error | None] | None = None
