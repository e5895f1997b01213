"""The contact sheet of a map: one page with everything but the saved files, which it links."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from html import escape
from mimetypes import guess_type
from typing import Any, Final

from attrs import field, frozen

from comfydeploy._display.page import status_class
from comfydeploy._display.privacy import is_secret, shown_text
from comfydeploy._display.sheet_assets import SCRIPT, STYLE
from comfydeploy._display.short import short_value, shortened
from comfydeploy._display.units import counted, seconds_text
from comfydeploy.models.secret import HIDDEN

_VALUE: Final = 300  # characters of an input
_CHOICES: Final = 200  # an input with more values has no filter; the search finds it
_CHOICE: Final = 60  # characters of a value in a list of choices, or of the name of an input
_ADDRESS: Final = r"\b[a-z][a-z0-9+.-]*://(?:[^\s\"'<>]*/)?([^\s\"'<>/]*)"


@frozen
class SheetJob:
    """A job on the sheet. ``files`` are addresses relative to the page, ``seconds`` the duration of its run."""

    key: str
    status: str
    inputs: Mapping[str, Any] = field(factory=dict[str, Any])
    attempt: int = 1
    run_id: str | None = None
    seconds: float | None = None
    reason: str | None = None
    files: tuple[str, ...] = ()


class _Survey:
    """A summary of all jobs: their statuses, durations, and the inputs by which they can be filtered."""

    def __init__(self, jobs: Iterable[SheetJob]) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds = 0.0
        self.files = 0
        values: dict[str, dict[str, int]] = {}
        for job in jobs:
            self.statuses[job.status] += 1
            self.seconds += job.seconds or 0.0
            self.files += len(job.files)
            for name, value in job.inputs.items():
                known = values.setdefault(name, {})
                if len(known) <= _CHOICES:
                    known.setdefault(_shown(name, value), len(known))
        self.choices = {name: known for name, known in values.items() if 1 < len(known) <= _CHOICES}

    def places(self, job: SheetJob) -> str:
        """Return which of the values of each input a job has, as the script reads it."""
        return ",".join(
            str(known[_shown(name, job.inputs[name])]) if name in job.inputs else ""
            for name, known in self.choices.items()
        )


def sheet_page(title: str, jobs: Callable[[], Iterable[SheetJob]]) -> Iterator[str]:
    """Yield the page in pieces; ``jobs`` returns all jobs and is called twice."""
    survey = _Survey(jobs())
    yield _head(title, survey)
    for job in jobs():
        yield _job(job, survey.places(job))
    yield f'</main><p id="none" hidden>No job fits the filter.</p><script>{SCRIPT}</script></body></html>\n'


def _head(title: str, survey: _Survey) -> str:
    # Files are same-origin where the page is served, and of the scheme `file:` where it is opened from a folder.
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; media-src 'self' file:; "
        f"style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'"
    )
    chips = "".join(
        f'<label><input type="checkbox" name="status" value="{escape(status)}" checked>'
        f'<span class="status {status_class(status)}">{escape(status)}</span> {count:,}</label>'
        for status, count in sorted(survey.statuses.items())
    )
    selects = "".join(
        f'<label>{escape(name)} <select data-input="{place}"><option value="">all</option>'
        + "".join(
            f'<option value="{index}">{escape(shortened(value, _CHOICE)) or "(empty)"}</option>'
            for value, index in known.items()
        )
        + "</select></label>"
        for place, (name, known) in enumerate(survey.choices.items())
    )
    count, files = counted(survey.statuses.total(), "job"), counted(survey.files, "file")
    total = f"{count}, {files}, {seconds_text(survey.seconds)} of runs"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><h1>{escape(title)}</h1><p>{total}. <span id="shown"></span></p>'
        f'<form id="filter"><fieldset>{chips}</fieldset>'
        f'<input type="search" name="text" placeholder="Search" aria-label="Search keys, inputs and reasons">'
        f'{selects}<label>sort <select name="order"><option value="place">as given</option>'
        '<option value="seconds">longest first</option></select></label>'
        '<button type="reset">Show all</button></form></header><main>'
    )


def _job(job: SheetJob, places: str) -> str:
    inputs = "".join(
        f"<dt>{escape(short_value(name, _CHOICE))}</dt><dd>{escape(_shown(name, value))}</dd>"
        for name, value in job.inputs.items()
    )
    facts = [seconds_text(job.seconds)] if job.seconds is not None else []
    facts += [f"attempt {job.attempt}"] if job.attempt > 1 else []
    reason = f'<p class="reason">{escape(_without_addresses(shown_text(job.reason)))}</p>' if job.reason else ""
    run = f'<p class="run">run <code>{escape(job.run_id)}</code></p>' if job.run_id else ""
    key = escape(_without_addresses(short_value(job.key, _VALUE)))
    listed = f"<dl>{inputs}</dl>" if inputs else ""
    return (
        f'<article data-status="{escape(job.status)}" data-places="{places}" data-seconds="{job.seconds or 0:.3f}">'
        f"{_media(job)}"
        f'<h2>{key}</h2><p><span class="status {status_class(job.status)}">'
        f"{escape(job.status)}</span> {', '.join(facts)}</p>{reason}"
        f"{listed}{run}</article>\n"
    )


def _media(job: SheetJob) -> str:
    return f'<div class="files">{"".join(map(_file, job.files))}</div>' if job.files else ""


def _file(address: str) -> str:
    from urllib.parse import unquote

    kind = (guess_type(address)[0] or "").partition("/")[0]
    name = escape(unquote(address.rpartition("/")[2]))
    source = escape(address)
    match kind:
        case "image":
            shown = f'<img src="{source}" alt="{name}" loading="lazy" decoding="async">'
            return f'<a href="{source}" target="_blank" rel="noopener" title="{name}">{shown}</a>'
        case "video":
            return f'<video src="{source}" controls preload="none" aria-label="{name}"></video>'
        case "audio":
            return f'<audio src="{source}" controls preload="none" aria-label="{name}"></audio>'
        case _:
            return f'<a class="other" href="{source}" target="_blank" rel="noopener">{name}</a>'


def _shown(name: str, value: Any) -> str:
    if isinstance(value, str) and is_secret(name, value):
        return HIDDEN
    return _without_addresses(short_value(value, _VALUE))


def _without_addresses(text: str) -> str:
    """Return a text with only the last part of each address, so that a sheet can be passed on."""
    return re.sub(_ADDRESS, r"…/\1", text, flags=re.IGNORECASE)


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
