"""Rows of cells as lines: for a pipe, for a terminal, and for a narrow one."""

from collections.abc import Sequence
from typing import Final

_GAP: Final = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return the lines of a table.

    For a pipe (``width`` is ``None``) cells are separated by tabs, without a header. In a terminal they are columns;
    if these do not fit, each row begins with a separate line for the first cell.
    """
    if width is None:
        return ["\t".join(map(_flat, one)).rstrip("\t") for one in rows]
    if not rows:
        return []
    cells = [[_flat(cell) for cell in one] for one in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [_GAP.join(map(str.ljust, one, widths)).rstrip() for one in cells]
    return [line for one in cells[1:] for line in _stacked(one, width)]


def row(cells: Sequence[str], width: int | None) -> list[str]:
    """Return the lines of a single row: in its own columns, or as ``table`` does."""
    if width is None:
        return table((), [cells], None)
    line = _GAP.join(filter(None, map(_flat, cells)))
    return [line] if len(line) <= width else _stacked([*map(_flat, cells)], width)


def _stacked(cells: Sequence[str], width: int) -> list[str]:
    lines = [cells[0]]
    line = ""
    for cell in filter(None, cells[1:]):
        if line and len(line) + len(_GAP) + len(cell) > width:
            lines.append(line)
            line = ""
        line = f"{line}{_GAP}{cell}"
    return [*lines, line] if line else lines


def _flat(cell: str) -> str:
    """Return a cell without characters that would break its row."""
    return " ".join(cell.split())
