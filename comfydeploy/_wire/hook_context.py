"""The call for which a hook is called."""

from attrs import frozen


@frozen
class HookContext:
    """The call for which a hook is called: the operation's id, and the number of attempts before this one."""

    operation_id: str
    attempt: int = 0
