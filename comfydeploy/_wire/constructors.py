"""Functions that create models from values that are known to fit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from comfydeploy._wire.generated_code import Names, compiled

Within: TypeAlias = tuple[type[Any], str, Mapping[str, object]]


def maker(model: type[Any], *names: str, within: Sequence[Within] = ()) -> Callable[..., Any]:
    """Return a function that creates a model from the values of all its fields, in this order.

    ``within`` are classes that contain it, from the inside out: each with its field and the values of the others.
    The function sets the slots directly, because the ``__init__`` of a frozen class takes twice as long.
    """
    known: Names = {"model": model, **{f"set_{name}": getattr(model, name).__set__ for name in names}}
    lines = ["made = new(model)", *(f"set_{name}(made, {name})" for name in names)]
    for place, (outer, name, others) in enumerate(within):
        known |= {f"outer{place}": outer, f"set{place}": getattr(outer, name).__set__}
        lines += [f"inner, made = made, new(outer{place})", f"set{place}(made, inner)"]
        for other, value in others.items():
            known |= {f"set{place}_{other}": getattr(outer, other).__set__, f"{other}{place}": value}
            lines.append(f"set{place}_{other}(made, {other}{place})")
    return compiled(", ".join(names), [*lines, "return made"], known)
