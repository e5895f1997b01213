"""The call that a hook is called for."""

from attrs import frozen


@frozen
class HookContext:
    """The call that a hook is called for: the operation's id, and the number of attempts before this one."""

    operation_id: str
    attempt: int = 0
