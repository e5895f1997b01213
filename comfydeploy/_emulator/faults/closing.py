"""The quirk of closed connections."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfydeploy._emulator.serving.protocol import connection_of

_BROKEN: Final = 500


class ClosingAfter500:
    """Wraps the application: after a response with status 500 the connection is closed, which no header announces."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_broken = is_complete = False

        async def sent(message: Message) -> None:
            nonlocal is_broken, is_complete
            if message["type"] == "http.response.start":
                is_broken = message["status"] == _BROKEN
            elif not message.get("more_body"):
                is_complete = True
            await send(message)

        await self._app(scope, receive, sent)
        if is_broken and is_complete:
            await connection_of(scope).close_unannounced()
