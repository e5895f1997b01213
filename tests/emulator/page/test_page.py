"""The page over HTTP: what it shows of runs, live, and to which clients."""

import html
import io
import json
import re
import time
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from comfydeploy._emulator.page.routes import PAUSE_SECONDS
from comfydeploy._emulator.page.thumbnails import thumbnail
from comfydeploy.emulator import Emulator

EVIL = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"


@pytest.fixture
def page(emulator):
    """Read a page of the server, by its path."""
    root = emulator.url.removesuffix("/api")
    with httpx.Client(base_url=root, timeout=10) as browser:
        yield browser.get


@pytest.fixture
def run_page(page, client, order, ended):
    """Run a run to its end and read its page."""

    def show(name="picture", **fields):
        run_id = client.post("/run/queue", json=order(name, **fields)).json()["run_id"]
        ended(run_id)
        return page(f"/runs/{run_id}").text

    return show


def events(answer):
    """Yield the events of a stream as they arrive."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_page_without_runs_explains_start():
    with Emulator(pace=0) as emulator:
        text = html.unescape(httpx.get(emulator.url.removesuffix("api")).text)
        assert "No run yet" in text
        assert f"curl {emulator.url}/run/deployment/queue" in text
        assert "Bearer local-key" in text
        assert f'server_url="{emulator.url}"' in text
        deployments = html.unescape(httpx.get(f"{emulator.url.removesuffix('api')}deployments").text)
        assert all(name in deployments and id_ in deployments for name, id_ in emulator.deployments.items())


def test_own_key_is_not_shown():
    with Emulator(pace=0, bearer="my own secret") as emulator:
        text = httpx.get(emulator.url.removesuffix("api")).text
        assert "Bearer YOUR_KEY" in text
        assert "my own secret" not in text


def test_list_shows_name_status_and_picture(page, client, order, ended):
    run_id = client.post("/run/queue", json=order(inputs={"width": 16, "prompt": "a quiet cat"})).json()["run_id"]
    ended(run_id)
    (row,) = re.findall(rf'<tr class="run" id="run-{run_id}".*?</tr>', page("/").text, re.DOTALL)
    assert f'href="/runs/{run_id}"' in row
    assert "a quiet cat" in row
    assert '<span class="badge success">success</span>' in row
    assert f'<img src="/page/thumbnails/small/{run_id}/' in row


def test_list_is_newest_first_in_pages_of_fifty():
    with Emulator(pace=0) as emulator:
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        body = {"deployment_id": emulator.deployments["failing"], "batch_number": 51}
        httpx.post(f"{emulator.url}/run", json=body, headers=headers)
        last = httpx.post(
            f"{emulator.url}/run/queue", json={"deployment_id": body["deployment_id"]}, headers=headers
        ).json()["run_id"]
        root = emulator.url.removesuffix("/api")
        pages = [re.findall('id="run-(.*?)"', httpx.get(f"{root}/?page={number}").text) for number in (1, 2, 3)]
        assert [len(ids) for ids in pages] == [50, 2, 0]
        assert pages[0][0] == last
        assert len({*pages[0], *pages[1]}) == 52
        assert 'href="/?page=2"' in httpx.get(root).text
        assert 'href="/" rel="prev"' in httpx.get(f"{root}/?page=2").text
        assert "no runs on this page" in httpx.get(f"{root}/?page=3").text


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "1e3", "\u0663\u00b2", "9" * 99])
def test_page_number_that_is_none_is_first(page, client, order, number):
    client.post("/run/queue", json=order())
    assert 'class="run"' in page("/", params={"page": number}).text


def test_page_of_run_shows_everything_about_it(run_page):
    text = run_page(
        inputs={"width": 16, "prompt": "a cat", "loras": [{"a": 1}]}, webhook="http://127.0.0.1:9/", gpu="T4"
    )
    text = html.unescape(text)
    for shown in (
        '<span class="badge success">success</span>',
        'alt="cd_00001_.png: a cat"',
        '[{"a": 1}]',
        "<dt>queued</dt>",
        "<dt>ended</dt>",
        "http://127.0.0.1:9/",
        "T4",
        "<strong>execution_success</strong>",
        '"event": "function_call_id"',
        "Prompt done",
    ):
        assert shown in text


def test_page_of_failed_run_has_reason(run_page):
    text = run_page(inputs={"fail": "out of luck"})
    assert "Why it failed" in text
    assert "KSampler (node 5) raised RuntimeError:" in text
    assert "execution.py" in text


def test_reason_is_kept_after_restart(tmp_path):
    with Emulator(pace=0, data=tmp_path) as emulator:
        headers = {"authorization": f"Bearer {emulator.bearer}"}
        body = {"deployment_id": emulator.deployments["failing"]}
        httpx.post(f"{emulator.url}/run/sync", json=body, headers=headers)
    with Emulator(pace=0, data=tmp_path) as emulator:
        root = emulator.url.removesuffix("/api")
        path = re.search('href="(/runs/.*?)"', httpx.get(root).text)[1]
        text = httpx.get(root + path).text
        assert re.search("Why it failed.*would exceed allowed memory", text, re.DOTALL)
        assert "Events are kept for the latest runs only" in text


def test_run_is_found_by_any_spelling_of_its_id(page, client, order):
    run_id = client.post("/run/queue", json=order()).json()["run_id"]
    assert page(f"/runs/{run_id.upper()}").status_code == 200


@pytest.mark.parametrize("run_id", [str(uuid4()), "nope", "%3Cb%3E", "a%22b"])
def test_unknown_run_has_page_that_says_so(page, run_id):
    answer = page(f"/runs/{run_id}")
    assert answer.status_code == 404
    assert "No such run" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs": {"prompt": EVIL}},
        {"inputs": {EVIL: 1}},
        {"inputs": {"x": [EVIL, {EVIL: EVIL}]}},
        {"inputs": {"fail": EVIL}},
        {"webhook": f"javascript:{EVIL}"},
        {"origin": EVIL},
        {"origin": EVIL, "inputs": {"prompt": "a\r\ndata: b\n\n\x00\u2028\U0001f600"}},
    ],
)
def test_user_text_is_escaped(run_page, page, fields):
    for text in (run_page(**fields), page("/").text):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;script&gt;" in run_page(**fields)


def test_addresses_follow_request_host(emulator):
    port = httpx.URL(emulator.url).port
    answer = httpx.get(emulator.url.removesuffix("api"), headers={"host": f"localhost:{port}"})
    assert f"http://localhost:{port}/api" in answer.text


def test_rebound_names_do_not_see_runs(page):
    for path in (
        "/",
        f"/runs/{uuid4()}",
        "/page/events",
        f"/page/events/{uuid4()}",
        "/page/page.js",
        "/deployments",
        "/switches",
        "/comparison",
    ):
        assert page(path, headers={"host": "example.com"}).status_code == 403


def test_key_shows_page_under_any_address(page, emulator):
    assert page("/", headers={"host": "192.0.2.7"}).status_code == 401
    assert page("/", headers={"host": "192.0.2.7"}, auth=("anybody", emulator.bearer)).status_code == 200


@pytest.mark.parametrize(
    ("name", "media_type"), [("style.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
def test_parts_of_page_are_served_by_their_types(page, name, media_type):
    answer = page(f"/page/{name}")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)


@pytest.mark.parametrize("name", ["routes.py", "..%2froutes.py", "%2e%2e/routes.py", ""])
def test_no_other_file_of_page_can_be_reached(page, name):
    assert page(f"/page/{name}").status_code in {307, 404}


def test_files_of_runs_cannot_run_scripts(client, order):
    (output,) = client.post("/run/sync", json=order(inputs={"width": 16})).json()
    assert httpx.get(output["data"]["images"][0]["url"]).headers["content-security-policy"] == "script-src 'none'"
    drawing = ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    address = client.post("/file/upload", files={"file": drawing}).json()["file_url"]
    assert httpx.get(address).headers["content-security-policy"] == "script-src 'none'"


def test_stream_has_page_and_its_changes(emulator, client, order):
    root = emulator.url.removesuffix("/api")
    with httpx.stream("GET", f"{root}/page/events", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = events(answer)
        assert next(stream)["title"] == "Runs \u00b7 comfydeploy"
        run_id = client.post("/run/queue", json=order()).json()["run_id"]
        assert any(f'id="run-{run_id}"' in update["content"] for update in stream)


def test_stream_of_run_follows_it_to_its_end(emulator, client, order):
    run_id = client.post("/run/queue", json=order()).json()["run_id"]
    root = emulator.url.removesuffix("/api")
    with httpx.stream("GET", f"{root}/page/events/{run_id}", timeout=10) as answer:
        update = next(update for update in events(answer) if update["title"] == "success \u00b7 picture")
    assert "<strong>execution_start</strong>" in update["content"]


def test_webhook_deliveries_are_shown(emulator, client, order, sink):
    sink.answers = [503]
    run_id = client.post("/run/queue", json=order(webhook=sink.url)).json()["run_id"]
    root = emulator.url.removesuffix("/api")
    with httpx.stream("GET", f"{root}/page/events/{run_id}", timeout=10) as answer:
        assert any("<strong>success, try 1: 200</strong>" in update["content"] for update in events(answer))
    text = httpx.get(f"{root}/runs/{run_id}").text
    assert "<strong>queued, try 1: 503</strong>" in text
    assert "<strong>queued, try 2: 200</strong>" in text
    assert sink.url in text


def test_many_changes_are_sent_together(emulator, client, order):
    root = emulator.url.removesuffix("/api")
    began = time.monotonic()
    with httpx.stream("GET", f"{root}/page/events", timeout=10) as answer:
        stream = events(answer)
        updates = [next(stream)]
        ids = [client.post("/run/queue", json=order("failing")).json()["run_id"] for _ in range(40)]
        while f'id="run-{ids[-1]}"' not in updates[-1]["content"]:
            updates.append(next(stream))
    assert len(updates) <= 1 + (time.monotonic() - began) / PAUSE_SECONDS


def test_streams_of_page_end_with_server():
    emulator = Emulator(pace=0)
    emulator.start()
    with httpx.stream("GET", emulator.url.removesuffix("api") + "page/events", timeout=10) as answer:
        stream = events(answer)
        next(stream)
        assert emulator.open_streams == 0
        emulator.stop()
        assert list(stream) == []


def test_thumbnail_is_small(page, client, order, ended):
    run_id = client.post("/run/queue", json=order(inputs={"width": 1500, "height": 900})).json()["run_id"]
    ended(run_id)
    for size, expected in (("small", (128, 77)), ("large", (1024, 614))):
        answer = page(f"/page/thumbnails/{size}/{run_id}/cd_00001_.png")
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).size == expected
    for path in (f"huge/{run_id}/cd_00001_.png", f"small/{run_id}/x.png", f"small/{uuid4()}/cd_00001_.png"):
        assert page(f"/page/thumbnails/{path}").status_code == 404


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "CMYK", "I;16", "F"])
def test_thumbnail_can_be_made_of_any_picture(tmp_path, mode):
    path = tmp_path / "a.tiff" if mode != "P" else tmp_path / "a.gif"
    Image.new(mode, (300, 200)).save(path)
    assert Image.open(io.BytesIO(thumbnail(path, "small"))).size == (128, 85)


def test_file_that_is_no_picture_has_no_thumbnail(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert thumbnail(tmp_path / "a.png", "small") is None
    assert thumbnail(tmp_path / "none.png", "small") is None
