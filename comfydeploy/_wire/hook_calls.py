"""Calling the hooks of a core, and checking what they return."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from comfydeploy._wire.hook_context import HookContext
from comfydeploy._wire.reply import Reply
from comfydeploy.errors import Error

if TYPE_CHECKING:
    from comfydeploy.hooks import Hooks

T = TypeVar("T")


def apply_hooks(hooks: "Sequence[Hooks]", stage: str, context: HookContext, data: T) -> T:
    """Call the hooks of a stage in order, each with the return value of the one before."""
    for hook in hooks:
        function = getattr(hook, stage)
        replacement = function(context, data) if function else None
        if replacement is None:
            continue
        if not isinstance(replacement, type(data)):
            raise TypeError(f"{stage} returned {type(replacement).__name__}, expected {type(data).__name__} or None")
        data = replacement
    return data


def apply_error_hooks(hooks: "Sequence[Hooks]", context: HookContext, reply: Reply | None, error: Error) -> Error:
    """Call the ``after_error`` hooks in order, each with the error that the one before returned."""
    for hook in hooks:
        replacement: Any = hook.after_error(context, reply, error) if hook.after_error else None
        if replacement is not None and not isinstance(replacement, get_args(Error)):
            raise TypeError(f"after_error returned {type(replacement).__name__}, expected an error or None")
        error = replacement or error
    return error
