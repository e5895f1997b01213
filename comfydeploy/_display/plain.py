"""Cards as plain text, for terminals."""

from collections.abc import Iterator

from comfydeploy._display.card import Card, Cell, Link, Table, cell_text
from comfydeploy._display.privacy import shown_text


def card_text(card: Card) -> str:
    """Return a card as lines."""
    return "\n".join(printable(shown_text(line)) for line in _lines(card))


def printable(line: str) -> str:
    """Return a line without control characters, which a terminal would execute."""
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def _lines(card: Card) -> Iterator[str]:
    yield "  ".join(part for part in (card.kind, card.name, card.status) if part)
    if card.note:
        yield f"  {card.note}"
    yield from _aligned([(name, _addressed(cell)) for name, cell in card.facts], "  ")
    for table in card.tables:
        yield from _table(table)
    for picture in card.pictures:
        yield f"  {picture.name}"


def _addressed(cell: Cell) -> str:
    """Return the text of a cell, with the address of a link where it has another text."""
    text = cell_text(cell)
    address = shown_text(cell.address) if isinstance(cell, Link) else text
    return text if text == address else f"{text} {address}"


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"  {table.title.lower()}"
    yield from _aligned([tuple(map(_addressed, row)) for row in table.rows], "    " if table.title else "  ")
    if table.more:
        yield f"    ... {table.more:,} more"


def _aligned(rows: list[tuple[str, ...]], indent: str) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{indent}{'  '.join(cells)}".rstrip()
