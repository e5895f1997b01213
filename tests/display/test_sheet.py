"""The contact sheet: one page that links saved files, shows no address, and runs no foreign script."""

import base64
import hashlib
import re

from html_page import Page

from comfydeploy._display.sheet import SheetJob, sheet_page

SIGNED = "https://storage.test/a/in.png?X-Amz-Signature=5ec2e7"


def page_of(jobs, title="night"):
    return "".join(sheet_page(title, lambda: jobs))


def test_a_job_with_its_files():
    files = ("out/a%20cat.png", "out/clip.mp4", "out/song.mp3", "out/mesh.glb")
    html = page_of([SheetJob("cat-1", "success", {"prompt": "a cat"}, 2, "run-1", 4.2, None, files)])
    page = Page(html)
    assert page.addresses == [files[0], *files]
    assert [tag for tag in page.tags if tag in ("img", "video", "audio")] == ["img", "video", "audio"]
    for text in ("cat-1", "success", " 4.2 s, attempt 2", "prompt", "a cat", "run-1", "mesh.glb"):
        assert text in page.texts
    assert 'loading="lazy"' in html
    assert 'title="a cat.png"' in html
    assert "1 job, 4 files, 4.2 s of runs. " in page.texts


def test_a_failed_job_shows_no_address():
    reason = f"KSampler (node 5): cannot read {SIGNED}"
    inputs = {"image": SIGNED, "api_key": "5ec2e7", "list": [SIGNED]}
    html = page_of([SheetJob("j", "failed", inputs, reason=reason)])
    page = Page(html)
    assert "storage.test" not in html
    assert "5ec2e7" not in html
    assert "KSampler (node 5): cannot read …/in.png" in page.texts
    assert "…/in.png" in page.texts
    assert "[redacted]" in page.texts
    assert page.addresses == []


def test_only_the_script_of_the_page_may_run():
    evil = "<script>alert(1)</script>"
    html = page_of([SheetJob(evil, evil, {evil: evil, "o": ""}, 1, evil, None, evil, (f'x"{evil}.png',))] * 2, evil)
    assert Page(html).tags.count("script") == 1
    policy = re.search('Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; ")
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"https?://", html)


def test_inputs_that_differ_can_be_chosen():
    jobs = [SheetJob(f"{n}", "success", {"prompt": "a cat", "seed": n % 3, "noise": n}) for n in range(300)]
    html = page_of([*jobs, SheetJob("300", "failed", {"prompt": "a cat"})])
    assert re.findall("<label>(\\w+) <select data-input", html) == ["seed"]  # one has one value, one too many
    assert re.findall('<option value="(\\d)">(\\d)', html) == [("0", "0"), ("1", "1"), ("2", "2")]
    places = re.findall('data-status="(\\w+)" data-places="(\\d?)"', html)
    assert places[:4] == [("success", "0"), ("success", "1"), ("success", "2"), ("success", "0")]
    assert places[-1] == ("failed", "")
    assert "300 shown" not in html
    assert re.findall("</span> (\\d+)</label>", html) == ["1", "300"]
