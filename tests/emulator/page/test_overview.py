"""The list of the runs: its filter, its views and its pages; and runs side by side."""

import json
import re

import pytest

from comfydeploy.emulator import Emulator, NodeOutput, Succeeds

TWO = Succeeds([NodeOutput(files={"a.txt": b"x"}), NodeOutput(), NodeOutput()], seconds=1)


@pytest.fixture(scope="module")
def server():
    """A server with 130 runs: one of them failed, one is cancelled and one has two pictures."""
    with Emulator(port=None, clock="manual", seed=1) as emulator:
        emulator.script("slow", TWO)
        yield emulator


@pytest.fixture
def visitor(visit, server):
    visitor = visit(server)
    if not server.runs:
        batch = {
            "deployment_id": server.deployments["picture"],
            "inputs": {"prompt": "a cat", "width": 16, "height": 16},
        }
        visitor.api.post("/run", json={**batch, "batch_input_params": {"seed": list(range(127))}})
        visitor.queue("failing", inputs={"prompt": "a dog", "seed": 7})
        server.advance(3600)
        visitor.queue("slow", inputs={"prompt": "a late cat"})
        visitor.api.post(f"/run/{visitor.queue('slow', inputs={'prompt': 'a cancelled cat'})}/cancel")
        server.advance(60)
    return visitor


def ids(text):
    return re.findall(r'class="run" id="run-([0-9a-f-]{36})', text)


def heading(text):
    return re.search(r'<h1>Runs <span class="count">(\d+)</span>', text)[1]


def test_each_status_has_its_number(visitor):
    text = visitor.get("/?q=cat")
    assert re.findall(r'id="status-(.*?)".*?<span class="count">(\d+)', text) == [
        ("success", "128"),
        ("cancelled", "1"),
    ]
    assert heading(text) == "129"
    assert 'href="/?status=cancelled&q=cat"' in text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 130),
        ("status=failed", 1),
        ("deployment=slow", 2),
        ("deployment=slow&status=success", 1),
        ("q=a+CAT", 129),
        ("q=seed%3D12", 8),
        ("q=seed%3D7&deployment=failing", 1),
        ("age=5m", 2),
        ("age=1d", 130),
        ("since=2026-01-02T04:00", 2),
        ("until=2026-01-02T04:00", 128),
        ("since=2026-01-02T03:00&until=2026-01-02T03:01", 0),
        ("status=none", 0),
        ("deployment=none", 0),
        ("q=none", 0),
    ],
)
def test_filter_of_address_chooses_runs(visitor, query, number):
    text = visitor.get(f"/?{query}")
    assert heading(text) == str(number)
    assert len(ids(text)) == min(number, 50)
    assert ("No run matches" in text) == (number == 0)


def test_form_and_links_keep_the_filter(visitor):
    query = "view=grid&status=success&deployment=picture&q=cat&age=1d&since=2026-01-02T03:00"
    form = dict(visitor.form(f"/?{query}", "filters").values)
    assert form == {
        "view": "grid",
        "status": "success",
        "q": "cat",
        "deployment": "picture",
        "age": "1d",
        "since": "2026-01-02T03:00",
        "until": "",
    }
    rest = "status=success&deployment=picture&q=cat&age=1d&since=2026-01-02T03%3A00"
    text = visitor.get(f"/?{query}")
    for address in (f"/?{rest}", f"/?view=sheet&{rest}", f"/?view=grid&{rest}&page=2", f"/?view=grid&{rest}&page=3"):
        assert f'href="{address}"' in text
    assert f'data-events="/page/events?view=grid&{rest}"' in text


def test_stream_has_filtered_runs_only(visitor):
    with visitor.http.stream("GET", "/page/events?status=failed") as answer:
        line = next(line for line in answer.iter_lines() if line.startswith("data: "))
    content = json.loads(line.removeprefix("data: "))
    assert len(ids(content["content"])) == 1
    assert content["title"] == "failed runs \u00b7 comfydeploy"


def test_inputs_that_differ_are_columns(visitor):
    text = visitor.get("/?deployment=picture")
    assert re.findall('<th role="columnheader" class="input" title="(.*?)"', text) == ["seed"]
    shown = re.search('<dl class="equal".*?</dl>', text, re.DOTALL)[0]
    assert re.findall("<dt>(.*?)</dt> <dd>(.*?)</dd>", shown) == [
        ("prompt", "a cat"),
        ("width", "16"),
        ("height", "16"),
    ]
    assert re.findall('<span class="value" title="(.*?)"', text)[:3] == ["126", "125", "124"]


def test_grid_has_card_of_each_run(visitor):
    text = visitor.get("/?view=grid")
    assert len(ids(text)) == 48
    assert text.count('src="/page/thumbnails/medium/') == 46
    assert "Page 1 of 3" in text


def test_contact_sheet_has_every_picture(visitor):
    text = visitor.get("/?view=sheet&deployment=slow")
    assert text.count('src="/page/thumbnails/medium/') == 2
    assert '<span class="blank cancelled">cancelled</span>' in text
    assert 'id="compare-button"' not in text


def test_comparison_shows_runs_side_by_side(visitor):
    first, second = ids(visitor.get("/?q=seed%3D12"))[:2]
    text = visitor.get(f"/comparison?run={first}&run={second}&run={first.upper()}")
    rows = re.findall(r'<tr class="(differs|same)">\s*<th scope="row">(\w+)', text)
    assert rows == [("differs", "seed"), ("same", "prompt"), ("same", "width"), ("same", "height")]
    assert text.count("<img ") == 2


def test_comparison_of_missing_run_says_so(visitor):
    (failed,) = ids(visitor.get("/?status=failed"))
    text = visitor.get(f"/comparison?run={failed}&run=none")
    assert "1 of the runs is not kept any more." in text
    assert "Choose two runs or more" in text
    assert "Choose two runs or more" in visitor.get("/comparison")


def test_deployment_leads_to_its_runs(visitor, server):
    text = visitor.get(f"/deployments/{server.deployments['slow']}")
    assert 'href="/?deployment=slow"' in text
    assert f'href="/deployments/{server.deployments["slow"]}" aria-keyshortcuts="n"' in visitor.get("/?deployment=slow")


def test_deployments_of_workflow_have_names(visit):
    with Emulator(port=None, pace=0) as emulator:
        visitor = visit(emulator)
        row = visitor.api.get("/deployments").json()[0]
        fields = ("workflow_id", "workflow_version_id", "machine_id")
        staging = visitor.api.post(
            "/deployment", json={**{name: row[name] for name in fields}, "environment": "staging"}
        ).json()
        visitor.sent_run(visitor.send(f"/deployments/{staging['id']}", "run"))
        visitor.queue()
        title = f"{row['workflow']['name']} (staging)"
        assert f">{title}</a></h2>" in visitor.get("/deployments")
        text = visitor.get("/?deployment=picture+(staging)")
        assert len(ids(text)) == 1
        assert f"{title} <code>" in text
