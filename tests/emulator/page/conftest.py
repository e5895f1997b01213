"""A visitor who reads pages and sends their forms as a browser does, without one."""

import html
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

HOST = "http://127.0.0.1:3011"


@dataclass
class Form:
    """A form as it stands in a page."""

    action: str
    encoding: str
    values: list = field(default_factory=list)
    files: set = field(default_factory=set)


class Forms(HTMLParser):
    """Reads the forms of a page, by their ids."""

    def __init__(self, text):
        super().__init__()
        self.found, self._form, self._name, self._text = {}, None, None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("enctype", ""))
            self.found[given.get("id")] = self._form
        elif self._form and tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind == "file":
                self._form.files.add(given["name"])
            elif kind != "checkbox" or "checked" in given:
                self._form.values.append((given["name"], given.get("value", "")))
        elif tag in {"textarea", "select"}:
            self._name, self._text = given["name"], [] if tag == "textarea" else None
        elif tag == "option" and self._form and "selected" in given:
            if "value" in given:
                self._form.values.append((self._name, given["value"]))
            else:
                self._text = []

    def handle_data(self, data):
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag in {"textarea", "option"} and self._form and self._text is not None:
            # A browser drops the line end at the beginning of a textarea.
            self._form.values.append((self._name, "".join(self._text).removeprefix("\n")))
            self._text = None


class Visitor:
    """Reads the pages of a server through memory."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.http = httpx.Client(transport=emulator.transport, base_url=HOST, timeout=10)
        self.api = httpx.Client(
            transport=emulator.transport,
            base_url=f"{HOST}/api",
            headers={"authorization": f"Bearer {emulator.bearer}"},
            timeout=10,
        )

    def get(self, path):
        """Read the text of a page, with its entities decoded."""
        return html.unescape(self.http.get(path).text)

    def raw(self, path):
        return self.http.get(path).text

    def queue(self, name="picture", **fields):
        """Queue a run over the API and return its id."""
        body = {"deployment_id": self.emulator.deployments[name], **fields}
        return self.api.post("/run/queue", json=body).json()["run_id"]

    def form(self, path, name):
        return Forms(self.raw(path)).found[name]

    def send(self, path, name, *, files=(), origin=HOST, **changes):
        """Send a form of a page with changed values, ``None`` for none; return the answer without following it."""
        form = self.form(path, name)
        sent = [(key, value) for key, value in form.values if key not in changes]
        for key, value in changes.items():
            sent += [(key, one) for one in (value if isinstance(value, list) else [value]) if one is not None]
        headers = {"origin": origin} if origin else {}
        if form.encoding:
            parts = [(key, (None, value)) for key, value in sent]
            empty = [(key, ("", b"")) for key in form.files - {key for key, _ in files}]
            return self.http.post(form.action, files=[*parts, *files, *empty], headers=headers)
        fields = httpx.QueryParams(sent)
        return self.http.post(
            form.action,
            content=str(fields),
            headers={**headers, "content-type": "application/x-www-form-urlencoded"},
        )

    def sent_run(self, answer):
        """Return the run to which an answer leads."""
        assert answer.status_code == 303, answer.text
        run_id = urlsplit(answer.headers["location"]).path.rpartition("/")[2]
        return next(run for run in self.emulator.runs if run.id == run_id)


@pytest.fixture
def visit():
    """Visit a server; the connections are closed at the end."""
    visitors = []

    def visitor(emulator):
        visitors.append(Visitor(emulator))
        return visitors[-1]

    yield visitor
    for one in visitors:
        one.http.close()
        one.api.close()


@pytest.fixture
def visitor(by_hand, visit):
    """A visitor of a server whose clock stands still."""
    return visit(by_hand)
