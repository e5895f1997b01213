"""``client.session``: the operations on sessions, raising."""

import builtins
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from comfydeploy.core import ComfyDeployCore
from comfydeploy.funcs.session_cancel import session_cancel, session_cancel_async
from comfydeploy.funcs.session_create import session_create, session_create_async
from comfydeploy.funcs.session_get import session_get, session_get_async
from comfydeploy.funcs.session_list import session_list, session_list_async
from comfydeploy.models.session import (
    CancelSessionResponse,
    CreateSessionRequest,
    CreateSessionResponse,
    Session,
)
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

_Request: TypeAlias = CreateSessionRequest | Mapping[str, Any]
_Options: TypeAlias = RequestOptions | None


@frozen
class Sessions:
    """Open, read and close sessions; every method raises the error of a ``Failure``."""

    _core: ComfyDeployCore

    def create(self, request: _Request, options: _Options = None) -> CreateSessionResponse:
        """Open a session and give its id; see ``session_create``."""
        return unwrap(session_create(self._core, request, options))

    async def create_async(self, request: _Request, options: _Options = None) -> CreateSessionResponse:
        """Open a session and give its id; see ``session_create``."""
        return unwrap(await session_create_async(self._core, request, options))

    def get(self, session_id: str, options: _Options = None) -> Session:
        """Give a session; see ``session_get``."""
        return unwrap(session_get(self._core, session_id, options))

    async def get_async(self, session_id: str, options: _Options = None) -> Session:
        """Give a session; see ``session_get``."""
        return unwrap(await session_get_async(self._core, session_id, options))

    def list(self, machine_id: str | None = None, options: _Options = None) -> builtins.list[Session]:
        """Give the open sessions; see ``session_list``."""
        return unwrap(session_list(self._core, machine_id, options))

    async def list_async(self, machine_id: str | None = None, options: _Options = None) -> builtins.list[Session]:
        """Give the open sessions; see ``session_list``."""
        return unwrap(await session_list_async(self._core, machine_id, options))

    def cancel(self, session_id: str, options: _Options = None) -> CancelSessionResponse:
        """Close a session; see ``session_cancel``."""
        return unwrap(session_cancel(self._core, session_id, options))

    async def cancel_async(self, session_id: str, options: _Options = None) -> CancelSessionResponse:
        """Close a session; see ``session_cancel``."""
        return unwrap(await session_cancel_async(self._core, session_id, options))
