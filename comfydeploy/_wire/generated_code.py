"""Python functions compiled from source text, as attrs does for ``__init__``: faster than any loop over fields."""

from collections.abc import Callable
from typing import Any, Never, TypeAlias

from comfydeploy._wire.field_types import Misfit
from comfydeploy._wire.timestamps import moment

Names: TypeAlias = dict[str, Any]


def compiled(parameters: str, lines: list[str], names: Names) -> Callable[..., Any]:
    """Return the function with these parameters and this body; ``names`` are its globals."""
    space: Names = {"new": object.__new__, "misfit": _misfit, "moment": moment, **names}
    exec("\n ".join([f"def made({parameters}):", *lines]), space)  # noqa: S102 - as attrs does; all names are ours
    made: Callable[..., Any] = space["made"]
    return made


def _misfit(*_: object) -> Never:
    raise Misfit
