"""Hostile names and texts, in every place of the page."""

import json
from html.parser import HTMLParser

import pytest

from comfydeploy.emulator import Emulator, Fails, NodeOutput, Succeeds

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}&lt;%s{size}\r\n\0\u2028"
PLAIN = EVIL.replace("/", "").replace("\0", "")


class Tags(HTMLParser):
    """The elements and attributes of a page that are not its own."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name.startswith("on") or name == "style":
                self.found.append((tag, name))
            if name in {"href", "src", "action"} and not (value or "").startswith(("/", "#")):
                self.found.append((tag, value))
        if tag == "script" and dict(attributes) != {"src": "/page/page.js", "type": "module"}:
            self.found.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def hostile():
    """A server on which everything that has a name has a hostile one, with the ids of its runs."""
    with Emulator(port=None, clock="manual") as emulator:
        outcome = Succeeds([NodeOutput(PLAIN, files={f"{PLAIN}.png": b"x", f"{PLAIN}.mp4": b"x"}, texts=[EVIL])])
        emulator.add_deployment(EVIL, inputs={EVIL: EVIL, "n": 1, "b": True}, outcome=outcome)
        emulator.script("failing", Fails(EVIL, EVIL), times=None)
        emulator.fail("run_get", status=500, body=EVIL, headers={"x": EVIL}, content_type=EVIL)
        yield emulator


@pytest.fixture
def places(visit, hostile):
    """Every address of the page, with hostile runs."""
    visitor = visit(hostile)
    inputs = {EVIL: EVIL, "deep": [EVIL, {EVIL: EVIL}]}
    ids = [visitor.queue(name, inputs=inputs, origin=EVIL) for name in (EVIL, "failing")]
    hostile.advance(20)
    names = hostile.deployments
    query = f"q={quoted(EVIL)}&deployment={quoted(EVIL)}&status={quoted(EVIL)}&since={quoted(EVIL)}"
    return visitor, [
        "/",
        "/?view=grid",
        "/?view=sheet",
        f"/?{query}",
        f"/?deployment={quoted(EVIL)}&q=script",
        *(f"/runs/{one}" for one in ids),
        f"/comparison?run={ids[0]}&run={ids[1]}&run={quoted(EVIL)}",
        "/deployments",
        f"/deployments/{names[EVIL]}",
        f"/deployments/{names['picture']}?run={ids[0]}",
        f"/deployments/{quoted(EVIL)}",
        "/switches",
    ]


def quoted(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def test_pages_hold_no_foreign_element(places):
    visitor, addresses = places
    for address in addresses:
        text = visitor.raw(address)
        assert Tags(text).found == [], address
    assert "&lt;script&gt;" in visitor.raw(addresses[0])
    assert "{{ 7 * 7 }}" in visitor.raw(addresses[0])


def test_streams_hold_no_foreign_element(places):
    visitor, addresses = places
    for address in ("/page/events", addresses[6].replace("/runs/", "/page/events/")):
        with visitor.http.stream("GET", address) as answer:
            line = next(line for line in answer.iter_lines() if line.startswith("data: "))
        assert Tags(json.loads(line.removeprefix("data: "))["content"]).found == []


def test_hostile_form_sends_its_inputs(visit, hostile):
    visitor = visit(hostile)
    run = visitor.sent_run(visitor.send(f"/deployments/{hostile.deployments[EVIL]}", "run"))
    assert run.workflow_inputs.keys() == {EVIL, "n", "b"}
    assert run.workflow_inputs["n"] == 1
