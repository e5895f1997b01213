"""``client.session``: the operations on sessions, raising."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from comfydeploy._facade.group import Group
from comfydeploy.models.session import (
    CancelSessionResponse,
    CreateSessionRequest,
    CreateSessionResponse,
    IncreaseTimeoutResponse,
    Session,
)
from comfydeploy.options import RequestOptions
from comfydeploy.result import unwrap

if TYPE_CHECKING:
    import builtins

_Request: TypeAlias = CreateSessionRequest | Mapping[str, Any]
_Options: TypeAlias = RequestOptions | None


class Sessions(Group):
    """Open, read, prolong and close sessions; every method raises the error of a ``Failure``."""

    def create(self, request: _Request, options: _Options = None) -> CreateSessionResponse:
        """Open a session on a machine and return its id.

        A session is billed until it is closed or its time is over.

        Args:
            request: A ``CreateSessionRequest``, or a mapping with the same keys: ``{"machine_id": "...", "timeout":
                15}``, with ``timeout`` in minutes.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_create`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_create import session_create

        return unwrap(session_create(self._core, request, options))

    async def create_async(self, request: _Request, options: _Options = None) -> CreateSessionResponse:
        """Open a session on a machine and return its id.

        A session is billed until it is closed or its time is over.

        Args:
            request: A ``CreateSessionRequest``, or a mapping with the same keys: ``{"machine_id": "...", "timeout":
                15}``, with ``timeout`` in minutes.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_create`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_create import session_create_async

        return unwrap(await session_create_async(self._core, request, options))

    def get(self, session_id: str, options: _Options = None) -> Session:
        """Return a session; its ``url`` is ``None`` until it is ready.

        Args:
            session_id: The id of the session.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_get import session_get

        return unwrap(session_get(self._core, session_id, options))

    async def get_async(self, session_id: str, options: _Options = None) -> Session:
        """Return a session; its ``url`` is ``None`` until it is ready.

        Args:
            session_id: The id of the session.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_get`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_get import session_get_async

        return unwrap(await session_get_async(self._core, session_id, options))

    def list(self, machine_id: str | None = None, options: _Options = None) -> "builtins.list[Session]":
        """Return the open sessions of a machine, or all of them.

        Args:
            machine_id: The machine; ``None`` for all.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_list import session_list

        return unwrap(session_list(self._core, machine_id, options))

    async def list_async(self, machine_id: str | None = None, options: _Options = None) -> "builtins.list[Session]":
        """Return the open sessions of a machine, or all of them.

        Args:
            machine_id: The machine; ``None`` for all.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_list`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_list import session_list_async

        return unwrap(await session_list_async(self._core, machine_id, options))

    def cancel(self, session_id: str, options: _Options = None) -> CancelSessionResponse:
        """Close a session.

        The server may answer 400 although it closed the session: look with ``session_get``.

        Args:
            session_id: The id of the session.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_cancel`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_cancel import session_cancel

        return unwrap(session_cancel(self._core, session_id, options))

    async def cancel_async(self, session_id: str, options: _Options = None) -> CancelSessionResponse:
        """Close a session.

        The server may answer 400 although it closed the session: look with ``session_get``.

        Args:
            session_id: The id of the session.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_cancel`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_cancel import session_cancel_async

        return unwrap(await session_cancel_async(self._core, session_id, options))

    def increase_timeout(self, session_id: str, minutes: int, options: _Options = None) -> IncreaseTimeoutResponse:
        """Let a session end later; its time is billed.

        ``timeout_end`` of the session is then later by these minutes, ``timeout`` stays as it is.

        Args:
            session_id: The id of the session.
            minutes: The minutes to add, 1 or more.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_increase_timeout`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_increase_timeout import session_increase_timeout

        return unwrap(session_increase_timeout(self._core, session_id, minutes, options))

    async def increase_timeout_async(
        self, session_id: str, minutes: int, options: _Options = None
    ) -> IncreaseTimeoutResponse:
        """Let a session end later; its time is billed.

        ``timeout_end`` of the session is then later by these minutes, ``timeout`` stays as it is.

        Args:
            session_id: The id of the session.
            minutes: The minutes to add, 1 or more.
            options: What is different for this call: timeout, retries, headers, deadline.

        Raises:
            ComfyDeployError: What ``session_increase_timeout`` returns as a ``Failure``. Its docstring has the details.
        """
        from comfydeploy.funcs.session_increase_timeout import session_increase_timeout_async

        return unwrap(await session_increase_timeout_async(self._core, session_id, minutes, options))
