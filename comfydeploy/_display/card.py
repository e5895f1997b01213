"""A card: the content of a value to display, before it is text or HTML."""

from typing import TypeAlias

from attrs import frozen


@frozen
class Link:
    """A text with an address, whose signed part is shown only on request."""

    text: str
    address: str


@frozen
class Status:
    """The status of a run."""

    word: str


@frozen
class Bar:
    """A progress from 0 to 1."""

    part: float


@frozen
class Picture:
    """A picture that is part of the page: its name, and its bytes as a ``data:`` address."""

    name: str
    source: str


Cell: TypeAlias = str | Link | Status | Bar


@frozen
class Table:
    """Rows under a title; ``more`` rows are left out."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: int = 0


@frozen
class Card:
    """A title, facts, tables and pictures. ``note`` is a problem or a warning."""

    kind: str
    name: str = ""
    status: str | None = None
    facts: tuple[tuple[str, Cell], ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    note: str | None = None


def cell_text(cell: Cell) -> str:
    """Return the text of a cell."""
    match cell:
        case Link(text, _):
            return text
        case Status(word):
            return word
        case Bar(part):
            return f"{part:.0%}"
        case text:
            return text
