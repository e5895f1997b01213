"""The page in a browser: live, by keyboard, in dark mode, and without requests to other servers."""

import re
import shutil

import pytest

from comfydeploy.emulator import Emulator

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
EVIL = "<script>document.title = 'evil'</script><img src=x onerror=\"document.title='evil'\">"

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def browser():
    # Its event loop runs in this thread until it is closed: no other test may start one before.
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(by_hand):
    return by_hand


@pytest.fixture
def client(connect, server):
    return connect(server)


@pytest.fixture
def queue(client, server):
    """Queue a run of a known deployment and return its id."""

    def post(name="picture", **fields):
        body = {"deployment_id": server.deployments[name], **fields}
        return client.post("/run/queue", json=body).json()["run_id"]

    return post


@pytest.fixture
def visit(browser, server):
    """Open a page of the server. At the end check that there were no errors and no requests to other servers."""
    root = server.url.removesuffix("/api")
    contexts, complaints, addresses = [], [], []

    def open_page(path="/", **settings):
        context = browser.new_context(base_url=root, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(path)
        expect(page.locator("#connection")).to_have_text("Live")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [address for address in addresses if not address.startswith(f"{root}/")] == []


def badge(page):
    return page.locator(".state .badge")


def test_page_follows_run_without_reload(visit, server, queue):
    page = visit(f"/runs/{queue(inputs={'prompt': 'a cat', 'width': 64})}")
    page.evaluate("window.untouched = true")
    expect(badge(page)).to_have_text("not-started")
    server.advance(0.35)
    expect(badge(page)).to_have_text("queued")
    server.advance(0.6)
    expect(badge(page)).to_have_text("running")
    expect(page.locator(".state .live")).to_contain_text("Executing")
    assert 0 < page.locator("progress").evaluate("bar => bar.value") < 1
    expect(page.locator("#outputs")).to_have_count(0)
    server.advance(10)
    expect(badge(page)).to_have_text("success")
    picture = page.get_by_role("img", name="a cat")
    expect(picture).to_be_visible()
    page.wait_for_function("picture => picture.naturalWidth === 64", arg=picture.element_handle())
    assert page.title().startswith("success")
    assert page.evaluate("window.untouched")


def test_runs_appear_in_list_by_themselves(visit, server, queue):
    page = visit()
    expect(page.get_by_text("No run yet")).to_be_visible()
    first, second = queue(), queue("failing")
    expect(page.locator(".run")).to_have_count(2)
    assert [row.get_attribute("id") for row in page.locator(".run").all()] == [f"run-{second}", f"run-{first}"]
    expect(page.get_by_text("No run yet")).to_have_count(0)
    server.advance(10)
    expect(page.locator(f"#run-{first} .badge")).to_have_text("success")
    expect(page.locator(f"#run-{first} img")).to_be_visible()
    expect(page.locator(f"#run-{second} .badge")).to_have_text("failed")


def test_keyboard_opens_details_of_run(visit, server, queue):
    run_id = queue()
    page = visit()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="comfydeploy")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"#run-{run_id} a")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run_id}")
    events = page.locator("#events")
    expect(events).not_to_have_attribute("open", "")
    while not events.evaluate("events => events.contains(document.activeElement)"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(events).to_have_attribute("open", "")
    expect(events.get_by_text("queuing", exact=True)).to_be_visible()


def test_updates_keep_open_details_and_focus(visit, server, queue):
    page = visit(f"/runs/{queue()}")
    page.locator("#events > summary").press("Enter")
    page.locator("#inputs > summary").press("Enter")
    page.locator("#event-1 summary").press("Enter")
    server.advance(10)
    expect(badge(page)).to_have_text("success")
    expect(page.locator("#events")).to_have_attribute("open", "")
    expect(page.locator("#event-1 details")).to_have_attribute("open", "")
    expect(page.locator("#inputs")).not_to_have_attribute("open", "")
    expect(page.locator("#event-1 summary")).to_be_focused()
    expect(page.locator("#events").get_by_text("execution_success", exact=True)).to_be_visible()


def test_focus_stays_on_run_while_others_come(visit, server, queue):
    run_id = queue()
    page = visit()
    page.locator(f"#run-{run_id} a").focus()
    queue()
    server.advance(10)
    expect(page.locator(f"#run-{run_id} .badge")).to_have_text("success")
    expect(page.locator(f"#run-{run_id} a")).to_be_focused()


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


COLOURS = """elements => elements.filter(one => one.checkVisibility()).map(one => {
    let behind = one;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    return [`${one.tagName} ${one.className}`, getComputedStyle(one).color, getComputedStyle(behind).backgroundColor];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(visit, server, client, queue, scheme):
    _, failed, _, cancelled = (queue(name) for name in ("picture", "failing", "slow", "slow"))
    client.post(f"/run/{cancelled}/cancel")
    server.advance(5)
    queue()
    shades = []
    for path in ("/", f"/runs/{failed}"):
        page = visit(path, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('.box').forEach(one => one.open = true)")
        texts = page.locator("h1, h2, p, a, dt, dd, time, span, strong, code, button, summary")
        for element, ink, ground in texts.evaluate_all(COLOURS):
            bright, dim = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, element
        shades.append(luminance(page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")))
    assert max(shades) < 0.05 if scheme == "dark" else min(shades) > 0.8


@pytest.mark.parametrize("path", ["/", "/runs/"])
def test_narrow_window_does_not_scroll_sideways(visit, server, queue, path):
    run_id = queue(inputs={"prompt": "x" * 500, "y" * 300: 1}, webhook="http://127.0.0.1:9/" + "z" * 300)
    server.advance(10)
    page = visit(path if path == "/" else path + run_id, viewport={"width": 320, "height": 600})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_user_text_is_escaped(visit, server, queue):
    run_id = queue(
        "failing", inputs={"prompt": EVIL, EVIL: EVIL, "fail": EVIL}, origin=EVIL, webhook=f"http://127.0.0.1:9/{EVIL}"
    )
    overview, page = visit(), visit(f"/runs/{run_id}")
    server.advance(10)
    expect(overview.locator(".badge")).to_have_text("failed")
    expect(overview.locator(".summary")).to_have_text(EVIL)
    expect(page.locator("#failure")).to_contain_text(EVIL)
    expect(page.locator("#inputs dd").first).to_have_text(EVIL)
    assert {overview.title(), page.title()} == {"Runs \u00b7 comfydeploy", "failed \u00b7 failing"}
    assert not [one for one in (overview, page) if one.locator("main script, main img").count()]


def test_example_can_be_copied(visit, server):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"curl '{server.url}/run/queue'")


def test_page_reconnects_to_its_server(browser, tmp_path, connect):
    with Emulator(pace=0, data=tmp_path) as first:
        port = int(first.url.rsplit(":", 1)[1].removesuffix("/api"))
        page = browser.new_page()
        page.goto(first.url.removesuffix("api"))
        expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#connection")).to_contain_text("trying again")
    with Emulator(pace=0, data=tmp_path, port=port) as second:
        body = {"deployment_id": second.deployments["picture"]}
        connect(second).post("/run/sync", json=body)
        expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
        expect(page.locator(".run .badge")).to_have_text("success")
        page.close()
