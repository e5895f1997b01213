"""The contact sheet in a browser: it filters and sorts, and nothing but its own files is loaded."""

import shutil

import pytest

from comfydeploy._display.sheet import SheetJob, sheet_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PIXEL = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")
EVIL = "<script>document.title = 'evil'</script><img src=x onerror=\"document.title='evil'\">"

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The sheet of 500 jobs, opened from a folder. At the end check what it loaded."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    folder = tmp_path_factory.mktemp("sheet")
    for n in range(499):
        (folder / f"a cat-{n}.gif").write_bytes(PIXEL)
    jobs = [
        SheetJob(
            f"job-{n}",
            "success",
            {"prompt": "a cat" if n < 300 else "a dog", "seed": n % 5},
            seconds=n,
            files=(f"a%20cat-{n}.gif",),
        )
        for n in range(499)
    ]
    jobs.append(SheetJob(EVIL, "failed", {"prompt": EVIL}, reason=EVIL))
    (folder / "sheet.html").write_text("".join(sheet_page(EVIL, lambda: jobs)), encoding="utf-8")
    complaints, addresses = [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--disable-background-networking"])
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: addresses.append(request.url))
        opened.goto((folder / "sheet.html").as_uri())
        opened.addresses = addresses
        yield opened
        assert opened.title() == EVIL
        browser.close()
    assert complaints == []
    assert [address for address in addresses if not address.startswith(folder.as_uri())] == []


@pytest.fixture(autouse=True)
def unfiltered(page):
    yield
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shown")).to_have_text("")


def test_pictures_are_loaded_when_seen(page):
    assert page.locator("img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    assert page.locator("img").count() == 499
    assert len(page.addresses) < 200


def test_filters(page):
    page.get_by_label("success").uncheck()
    expect(page.locator("#shown")).to_have_text("1 shown.")
    page.get_by_label("failed").uncheck()
    expect(page.locator("#none")).to_be_visible()
    page.get_by_label("success").check()
    page.get_by_label("prompt").select_option("a dog")
    page.get_by_label("seed").select_option("4")
    expect(page.locator("#shown")).to_have_text("39 shown.")
    page.get_by_role("searchbox").fill("DOG job-49")
    expect(page.locator("article:visible h2")).to_have_text(["job-494"])


def test_the_longest_come_first(page):
    page.get_by_label("sort").select_option("longest first")
    expect(page.locator("h2").first).to_have_text("job-498")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_nothing_is_wider_than_the_window(page, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
    assert dark == (scheme == "dark")
