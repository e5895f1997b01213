"""What a child process closes: a lock or a connection that it has from its parent would go on when the parent ends."""

import os
from typing import Protocol
from weakref import WeakSet


class Inherited(Protocol):
    """Something that holds a descriptor."""

    def forget(self) -> None:
        """Close the descriptor, and nothing else."""
        ...


_open: "WeakSet[Inherited]" = WeakSet()


def close_in_children(held: Inherited) -> None:
    """Close something in each child process that is forked from now on."""
    _open.add(held)


def _after_fork() -> None:
    for held in list(_open):
        held.forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
