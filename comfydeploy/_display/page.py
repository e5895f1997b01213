"""Cards as HTML: a part of a notebook's page. Every text is escaped; nothing is loaded from elsewhere."""

from html import escape
from typing import Final

from comfydeploy._display.card import Bar, Card, Cell, Link, Picture, Status, Table, cell_text
from comfydeploy._display.privacy import shown_text

_GOOD: Final = frozenset({"success"})
_BAD: Final = frozenset({"failed", "timeout", "error", "unresolved"})
_BUSY: Final = frozenset({"queued", "started", "running", "uploading", "open"})

_SHORT: Final = 40
"""The most characters of a cell that is not broken into lines: a wide table scrolls."""

# It takes the colours of the page around it, so that it is readable on a light one and on a dark one. Its classes come
# thrice because notebooks have rules of their own for lists and tables.
_STYLE: Final = """
.cd{border:1px solid rgba(128,128,128,.4);border-radius:8px;padding:.6em .8em;margin:.3em 0;max-width:76em;
font:13px/1.5 system-ui,sans-serif;color:inherit;box-sizing:border-box}
.cd *{box-sizing:border-box}
.cd .cd-head{display:flex;flex-wrap:wrap;gap:.2em .6em;align-items:baseline;font-size:14px}
.cd.cd.cd code{font:12px ui-monospace,monospace;background:none;color:inherit;padding:0;overflow-wrap:anywhere}
.cd .cd-status{display:inline-block;border-radius:9em;padding:0 .6em;font-size:12px;background:#59636e;color:#fff}
.cd .cd-good{background:#1a7f37}.cd .cd-bad{background:#c4314b}.cd .cd-busy{background:#0969da}
.cd .cd-note{border-left:3px solid #c4314b;padding-left:.6em;margin:.5em 0;overflow-wrap:anywhere}
.cd .cd-facts{display:grid;grid-template-columns:max-content 1fr;gap:0 1em;margin:.4em 0 0;padding:0}
.cd.cd.cd dt{float:none;clear:none;width:auto;font-weight:400;white-space:nowrap}
.cd.cd.cd dd{width:auto;margin:0;padding:0;overflow-wrap:anywhere}
.cd dt,.cd .cd-title,.cd th{opacity:.7}
.cd .cd-wide{overflow-x:auto;margin-top:.5em}
.cd.cd.cd table{border-collapse:collapse;margin:0;font-size:13px;color:inherit;min-width:0;table-layout:auto;
border:0}
.cd.cd.cd th,.cd.cd.cd td{text-align:left;vertical-align:top;padding:.2em 1.2em .2em 0;border:0;background:none;
font-weight:400;line-height:1.4;min-width:0;max-width:36em;white-space:normal;overflow-wrap:break-word}
.cd.cd.cd td{min-width:14em}
.cd.cd.cd td.cd-short{min-width:0;white-space:nowrap}
.cd.cd.cd tbody tr{border-top:1px solid rgba(128,128,128,.25);background:none}
.cd.cd.cd a{color:inherit;text-decoration:underline;overflow-wrap:anywhere}
.cd progress{width:10em;max-width:100%;vertical-align:middle;accent-color:#0969da}
.cd .cd-pictures{display:flex;flex-wrap:wrap;gap:.6em;margin-top:.6em}
.cd figure{margin:0;max-width:256px}
.cd img{display:block;max-width:100%;max-height:256px;border-radius:4px;margin:0}
.cd figcaption{font-size:12px;opacity:.7;overflow-wrap:anywhere}
""".replace("\n", "")


def card_html(card: Card, *, addresses: bool = False) -> str:
    """Return a card as HTML. With ``addresses`` links and pictures have their signed addresses."""
    name = f"<code>{_text(card.name)}</code>" if card.name else ""
    note = f'<div class="cd-note">{_text(card.note)}</div>' if card.note else ""
    tables = "".join(_table(table, addresses=addresses) for table in card.tables)
    return (
        f'<div class="cd"><style>{_STYLE}</style>'
        f'<div class="cd-head"><strong>{escape(card.kind)}</strong>{name}{_status(card.status)}</div>'
        f"{note}{_facts(card.facts, addresses=addresses)}{tables}{_pictures(card.pictures)}</div>"
    )


def _text(text: str) -> str:
    return escape(shown_text(text))


def status_class(word: str) -> str:
    """Return the class of a status: good, bad, busy or none of them."""
    return "cd-good" if word in _GOOD else "cd-bad" if word in _BAD else "cd-busy" if word in _BUSY else "cd-other"


def _status(word: str | None) -> str:
    return f'<span class="cd-status {status_class(word)}">{_text(word)}</span>' if word else ""


def _facts(facts: tuple[tuple[str, Cell], ...], *, addresses: bool) -> str:
    pairs = (f"<dt>{escape(name)}</dt><dd>{_cell(cell, addresses=addresses)}</dd>" for name, cell in facts)
    return f'<dl class="cd-facts">{"".join(pairs)}</dl>' if facts else ""


def _table(table: Table, *, addresses: bool) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "".join(_row(row, addresses=addresses) for row in table.rows)
    more = f'<div class="cd-title">{table.more:,} more</div>' if table.more else ""
    title = f'<div class="cd-title">{escape(table.title)}</div>' if table.title else ""
    grid = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="cd-wide">{title}{grid}{more}</div>'


def _row(row: tuple[Cell, ...], *, addresses: bool) -> str:
    cells = (f"<td{_width(cell)}>{_cell(cell, addresses=addresses)}</td>" for cell in row)
    return f"<tr>{''.join(cells)}</tr>"


def _width(cell: Cell) -> str:
    return ' class="cd-short"' if len(cell_text(cell)) <= _SHORT else ""


def _cell(cell: Cell, *, addresses: bool) -> str:
    match cell:
        case Link():
            return _link(cell, addresses=addresses)
        case Status(word):
            return _status(word)
        case Bar(part):
            return f'<progress max="1" value="{part:.3f}"></progress> {part:.0%}'
        case text:
            return _text(text)


def _link(link: Link, *, addresses: bool) -> str:
    address = shown_text(link.address, addresses=addresses)
    if not address.lower().startswith(("https://", "http://")):  # no script, whatever the server sends
        return _text(link.text)
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{_text(link.text)}</a>'


def _pictures(pictures: tuple[Picture, ...]) -> str:
    figures = (
        f'<figure><img src="{escape(one.source)}" alt="{escape(one.name)}">'
        f"<figcaption>{escape(one.name)}</figcaption></figure>"
        for one in pictures
    )
    return f'<div class="cd-pictures">{"".join(figures)}</div>' if pictures else ""
