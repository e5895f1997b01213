"""The page in a browser: live, by keyboard, in dark mode, and without requests to other servers."""

import shutil

import pytest
from PIL import Image

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy.emulator import Emulator, Fails, IsCancelled, Succeeds

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
# Each wait ends when it is fulfilled; the machine may be busy.
expect.set_options(timeout=60_000)

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
        if page.locator("body").get_attribute("data-events"):
            expect(page.locator("#connection")).to_have_text("Live")
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A form with an error is a 422, which Chromium reports as well.
    assert [one for one in complaints if "status of 422" not in one] == []
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
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    row = page.locator(f"#run-{run_id}")
    while not row.evaluate("row => row.contains(document.activeElement)"):
        page.keyboard.press("Tab")
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
    expect(overview.locator("td.input").first).to_have_text(EVIL)
    expect(page.locator("#failure")).to_contain_text(EVIL)
    expect(page.locator("#inputs dd").first).to_have_text(EVIL)
    assert {overview.title(), page.title()} == {"Runs \u00b7 comfydeploy", "failed \u00b7 failing"}
    assert not [one for one in (overview, page) if one.locator("main script, main img").count()]


def test_example_can_be_copied(visit, server):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy: curl").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"curl {server.url}/run/deployment/queue")


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


def test_failed_run_is_found_in_two_actions(visit, server, client, queue):
    body = {"deployment_id": server.deployments["failing"], "batch_number": 120}
    server.script("failing", Succeeds([]), times=60)
    server.script("failing", Fails("The one."))
    server.script("failing", Succeeds([]), times=None)
    client.post("/run", json=body)
    server.advance(10)
    page = visit()
    expect(page.get_by_role("heading", name="Runs 120")).to_be_visible()
    page.get_by_role("link", name="failed 1").click()
    page.locator(".run a").click()
    expect(page.locator("#failure")).to_contain_text("The one.")
    page.go_back()
    expect(page.locator(".run")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("link", name="All 120")).to_have_attribute("aria-current", "true")


def test_filter_is_in_address(visit, server, queue):
    for seed in range(3):
        queue(inputs={"prompt": "a cat", "seed": seed})
    queue("slow", inputs={"prompt": "a cat"})
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("cat seed=1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=cat+seed%3D1")
    expect(page.locator(".run")).to_have_count(1)
    page.get_by_label("Deployment").select_option("slow")
    page.wait_for_url("**/?q=cat+seed%3D1&deployment=slow")
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url("**/")
    expect(page.locator(".run")).to_have_count(4)


def test_run_is_started_cancelled_and_repeated(visit, server):
    page = visit()
    page.keyboard.press("n")
    page.get_by_role("link", name="slow").click()
    page.get_by_label("Width").fill("5")
    page.get_by_role("button", name="Run", exact=True).click()
    width = page.get_by_label("Width")
    expect(page.locator("#input-width-error")).to_have_text("Enter a whole number: 16 to 2048.")
    assert width.get_attribute("aria-invalid") == "true"
    width.fill("64")
    page.get_by_role("button", name="Random").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("button", name="Cancel").click()
    expect(badge(page)).to_have_text("cancelled")
    page.get_by_role("button", name="Run again").click()
    expect(badge(page)).to_have_text("not-started")
    first, second = server.runs
    assert first.workflow_inputs == second.workflow_inputs
    assert first.workflow_inputs["width"] == 64
    assert first.workflow_inputs["seed"] != 0


def test_picture_is_dropped_and_shown(visit, server, monkeypatch, tmp_path):
    monkeypatch.setattr(Deployment, "input_types", [{"input_id": "face", "class_type": "ComfyUIDeployExternalImage"}])
    Image.new("RGB", (40, 20)).save(tmp_path / "a cat.png")
    page = visit(f"/deployments/{server.deployments['picture']}")
    content = list((tmp_path / "a cat.png").read_bytes())
    data = page.evaluate_handle(
        """content => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "a cat.png", { type: "image/png" }));
            return data;
        }""",
        content,
    )
    control = page.locator("[type=file]")
    control.dispatch_event("dragenter", {"dataTransfer": data})
    expect(page.locator(".drop")).to_have_class("drop over")
    control.evaluate(
        """(control, data) => {
            control.files = data.files;
            control.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        data,
    )
    expect(page.get_by_role("img", name="a cat.png")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    assert "/inputs/img_" in server.runs[0].workflow_inputs["face"]


def test_two_runs_are_compared_by_keyboard(visit, server, queue):
    for seed in (1, 2):
        queue(inputs={"prompt": "a cat", "seed": seed, "width": 64, "height": 64})
    server.advance(10)
    page = visit()
    expect(page.locator("#equal")).to_contain_text("a cat")
    assert page.locator("th.input").all_inner_texts() == ["seed"]
    for key in "jsjsc":
        page.keyboard.press(key)
    page.wait_for_url("**/comparison?run=*&run=*")
    expect(page.locator("tr.differs")).to_have_count(1)
    expect(page.locator("tr.differs")).to_contain_text("seed")
    expect(page.locator("#outputs img")).to_have_count(2)


def test_keys_are_explained_and_switched_off(visit, queue):
    queue()
    page = visit()
    page.keyboard.press("?")
    keys = page.locator("#keys kbd")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert {"/", "1", "2", "3", "j", "k", "s", "n", "?"} <= set(keys.all_inner_texts())
    page.get_by_label("Keys of one letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    assert page.locator("#runs.table").count() == 1


def test_busy_page_keeps_what_visitor_does(visit, server, client, queue):
    run_id = queue(inputs={"prompt": "a cat"})
    page = visit()
    page.get_by_label(f"Compare {run_id[:8]}").check()
    page.get_by_text("Between").click()
    page.get_by_label("Search the inputs").fill("half a wo")
    page.evaluate("""() => {
        const cell = document.querySelector("td.input .value");
        window.node = cell.firstChild;
        getSelection().selectAllChildren(cell);
        window.replaced = 0;
        new MutationObserver((all) => { window.replaced += all.filter((one) => one.removedNodes.length).length; })
            .observe(document.querySelector(`#runs tbody`), { childList: true });
    }""")
    page.get_by_label("Search the inputs").focus()
    body = {"deployment_id": server.deployments["slow"], "batch_number": 20, "inputs": {"prompt": "a dog"}}
    client.post("/run", json=body)
    for _ in range(60):
        server.advance(0.1)
    expect(page.locator(".run")).to_have_count(21)
    expect(page.locator(".run .badge.running")).to_have_count(20)
    assert page.get_by_label(f"Compare {run_id[:8]}").is_checked()
    assert page.locator("#between").get_attribute("open") == ""
    assert page.get_by_label("Search the inputs").input_value() == "half a wo"
    expect(page.get_by_label("Search the inputs")).to_be_focused()
    assert page.evaluate("window.node.isConnected")
    assert page.evaluate("window.replaced") == 0


def test_list_that_is_scrolled_stays_where_it_is(visit, server, client, queue):
    run_ids = [queue() for _ in range(20)]
    page = visit(viewport={"width": 900, "height": 500})
    expect(page.locator(".run")).to_have_count(20)
    # By its id: a list that is replaced while the last runs end has other elements.
    row = page.locator(f"#run-{run_ids[7]}")
    row.evaluate("row => row.scrollIntoView()")
    place = "row => row.getBoundingClientRect().top"
    run_id, before = row.get_attribute("id"), row.evaluate(place)
    queue()
    expect(page.locator(".run")).to_have_count(21)
    assert abs(page.locator(f"#{run_id}").evaluate(place) - before) < 3


PLACES = ("/", "/?view=grid", "/?view=sheet", "/deployments", "/switches", "{deployment}", "{run}", "{both}")
# The dark scheme has the same elements in other colours.
COLOURED = ("/", "/switches", "{run}", "{both}")
COLOURS = {"runOnly": ["color-contrast"]}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.mark.parametrize(
    ("scheme", "places", "rules"), [("light", PLACES, RULES), ("dark", COLOURED, COLOURS)], ids=["light", "dark"]
)
def test_pages_have_no_barrier(visit, server, queue, scheme, places, rules):  # noqa: PLR0917 - fixtures and cases
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    server.script("slow", IsCancelled())
    names = ("picture", "failing", "slow", "slow")
    ids = [queue(name, inputs={"seed": number}) for number, name in enumerate(names)]
    server.advance(6)
    server.fail("run_get", status=503)
    addresses = {
        "deployment": f"/deployments/{server.deployments['picture']}",
        "run": f"/runs/{ids[1]}",
        "both": f"/comparison?run={ids[0]}&run={ids[1]}",
    }
    page = visit(color_scheme=scheme)
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shade == ("rgb(13, 17, 23)" if scheme == "dark" else "rgb(246, 247, 251)")
    for place in places:
        page.goto(place.format(**addresses))
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = axe.run(page, options=rules).response
        assert found["passes"]
        assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found["violations"]] == [], place
