"""The filter of the runs, as the address of the page has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy._emulator.runs.index import Criteria

VIEWS: Final = {"table": "Table", "grid": "Grid", "sheet": "Contact sheet"}
RUNS_PER_PAGE: Final = {"table": 50, "grid": 48, "sheet": 120}
AGES: Final = {
    "5m": ("Last 5 minutes", timedelta(minutes=5)),
    "1h": ("Last hour", timedelta(hours=1)),
    "1d": ("Last day", timedelta(days=1)),
    "7d": ("Last week", timedelta(days=7)),
}
_NO_DEPLOYMENT: Final = ("", "")
# More words than people search for, because each one costs time.
_MOST_WORDS: Final = 20
_MOST_DIGITS: Final = 9


@dataclass(frozen=True)
class Filter:
    """Which runs are shown, and how; the names are those of the query in the address.

    ``q`` is what the inputs contain, ``age`` a key of ``AGES``, and ``since`` and ``until`` are times in UTC.
    """

    view: str = "table"
    status: str = ""
    deployment: str = ""
    q: str = ""
    age: str = ""
    since: str = ""
    until: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read the query of an address; what is invalid is left out."""
        given = {one.name: query.get(one.name, "") for one in fields(cls) if one.name != "page"}
        view = given.pop("view")
        times = {name: given[name] if _moment(given[name]) else "" for name in ("since", "until")}
        age = given["age"] if given["age"] in AGES else ""
        number = query.get("page", "")
        page = int(number) if number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS else 1
        return cls(
            view=view if view in VIEWS else "table",
            **{**given, **times, "age": age, "q": given["q"].strip()},
            page=max(1, page),
        )

    @property
    def is_narrow(self) -> bool:
        """Whether runs are left out."""
        return replace(self, view="table", page=1) != Filter()

    @property
    def size(self) -> int:
        """The number of runs on a page."""
        return RUNS_PER_PAGE[self.view]

    def query(self, **changes: Any) -> str:
        """Return the query of the address with these changes, without what is usual; other runs begin at page 1."""
        changed = replace(self, **({"page": 1} | changes))
        usual = Filter()
        return urlencode(
            {
                one.name: value
                for one in fields(self)
                if (value := getattr(changed, one.name)) != getattr(usual, one.name)
            }
        )

    def address(self, **changes: Any) -> str:
        """Return the address of the page with these changes."""
        query = self.query(**changes)
        return f"/?{query}" if query else "/"

    def criteria(self, deployments: Iterable[Deployment], now: datetime) -> Criteria:
        """Return what to search for; a deployment is given by its name, and an unknown one has no runs."""
        ids = {one.title: (one.id, one.workflow_id) for one in deployments}
        since = _moment(self.since)
        if self.age:
            oldest = now - AGES[self.age][1]
            since = max(since, oldest) if since else oldest
        return Criteria(
            status=self.status or None,
            deployment=ids.get(self.deployment, _NO_DEPLOYMENT) if self.deployment else None,
            words=tuple(self.q.split()[:_MOST_WORDS]),
            since=since,
            until=_moment(self.until),
        )


def _moment(text: str) -> datetime | None:
    try:
        given = datetime.fromisoformat(text)
        # Beyond the years that can be compared in every zone there are no runs.
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
