"""The contact sheet of a journal, with relative links to the saved files."""

import json
import os
import sqlite3
from contextlib import closing

import pytest
from html_page import Page

from comfydeploy import Failure, Success, errors
from comfydeploy._mapping.journal import Entry
from comfydeploy._mapping.rows import Claim, End, Finish, Record, Try
from comfydeploy._mapping.sqlite import Sqlite
from comfydeploy.mapping import MapItem, contact_sheet
from comfydeploy.models import DeploymentRunRequest, WorkflowRunModel
from comfydeploy.outcome import RunFailed

SIGNED = "https://storage.test/a/in.png?X-Amz-Signature=5ec2e7"
PIXEL = b"\x89PNG\r\n\x1a\n and the rest"


def run(status, **more):
    document = {"id": "run-1", "status": status, **more}
    return WorkflowRunModel(id="run-1", status=status, duration=more.get("duration"), raw=document)


def request(**inputs):
    return json.dumps({"deployment_id": "d", "inputs": {**inputs, "comfydeploy_key": "k"}})


@pytest.fixture
def journal(tmp_path):
    """A journal with a job in each state."""
    path = tmp_path / "journals" / "night.sqlite"
    path.parent.mkdir()
    jobs = {"good": {"prompt": "a cat", "image": SIGNED}, "bad": {"prompt": "a dog"}}
    jobs |= {key: {"prompt": "a fox"} for key in ("waiting", "claimed", "doubt", "going", "unsaved", "plain")}
    kept = Sqlite(str(path), "night", 300)
    rows = kept.add([Entry(key, key, request(**inputs), None) for key, inputs in jobs.items()])
    ids = {row.key: row.id for row in rows}
    owners = {key: f"{kept.session}-{key}" for key in ids}
    kept.carry_out([Claim(ids[key], owners[key], 9e9, None, 0.0) for key in ids if key != "waiting"])
    kept.carry_out(
        [Try(ids[key], owners[key], 1.0, 9e9, None, None) for key in ids if key not in ("waiting", "claimed")]
    )
    kept.carry_out([Record(ids[key], owners[key], "run-1") for key in ("good", "bad", "going", "unsaved", "plain")])
    failed = RunFailed(f"KSampler (node 5): cannot read {SIGNED}", run("failed"), "run-1")
    saved = tuple(os.path.relpath(tmp_path / "out" / name) for name in ("a cat.png", "b.png"))
    kept.carry_out(
        [
            End(ids["unsaved"], owners["unsaved"], run("success")),
            Finish(ids["good"], owners["good"], run("success", duration=4.25), None, saved),
            Finish(ids["bad"], owners["bad"], run("failed", run_duration=1), failed, None),
            Finish(ids["plain"], owners["plain"], None, None, None),
        ]
    )
    yield path
    kept.close()


def test_the_sheet_has_all_jobs(journal, tmp_path):
    to = tmp_path / "pages" / "sheet.html"
    assert contact_sheet(journal, to) == Success(to)
    html = to.read_text(encoding="utf-8")
    page = Page(html)
    assert page.addresses == [f"../out/{name}" for name in ("a%20cat.png", "a%20cat.png", "b.png", "b.png")]
    assert "night (night.sqlite)" in page.texts
    assert "8 jobs, 2 files, 5.2 s of runs. " in page.texts
    found = dict(zip(page.of("h2"), (one.partition('"')[0] for one in html.split('data-status="')[1:]), strict=True))
    assert found == {
        "good": "success",
        "bad": "failed",
        "waiting": "waiting",
        "claimed": "waiting",
        "doubt": "unresolved",
        "going": "running",
        "unsaved": "success",
        "plain": "success",
    }
    assert "KSampler (node 5): cannot read …/in.png" in page.texts
    assert "The files of this run are not saved yet" in page.texts
    assert "comfydeploy_key" not in html
    assert "storage.test" not in html
    assert [one.name for one in to.parent.iterdir()] == ["sheet.html"]


def test_the_sheet_is_replaced(journal, tmp_path):
    to = tmp_path / "sheet.html"
    to.write_text("old")
    assert contact_sheet(str(journal), str(to)) == Success(to)
    assert to.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_files_on_another_drive(journal, tmp_path, monkeypatch):
    def relpath(*_):
        raise ValueError

    monkeypatch.setattr(os.path, "relpath", relpath)
    contact_sheet(journal, tmp_path / "sheet.html").unwrap()
    assert f"{tmp_path.as_uri()}/out/a%20cat.png" in (tmp_path / "sheet.html").read_text(encoding="utf-8")


def reason(journal, to, name=None):
    error = contact_sheet(journal, to, name=name).failure()
    assert isinstance(error, errors.SDKValidationError)
    return str(error)


def test_what_is_no_journal_is_named(tmp_path, journal):
    other, text = tmp_path / "other.sqlite", tmp_path / "text"
    sqlite3.connect(other).close()
    text.write_bytes(b"no database" * 100)
    assert "there is no file" in reason(tmp_path / "none.sqlite", tmp_path / "x.html")
    other.write_bytes(b"")
    assert "no journal of this version" in reason(other, tmp_path / "x.html")
    assert "damaged or not a journal" in reason(text, tmp_path / "x.html")
    assert "cannot be written" in reason(journal, tmp_path)
    assert "not of 'other'" in reason(journal, tmp_path / "x.html", "other")
    with closing(sqlite3.connect(journal, isolation_level=None)) as database:
        database.execute("UPDATE jobs SET run = '{bad'")
    assert "a row is damaged" in reason(journal, tmp_path / "x.html")
    assert not list(tmp_path.glob(".*"))


def test_strange_arguments_raise_nothing(monkeypatch):
    expected = "journal: expected the path of a file or the address of a database, got int"
    assert contact_sheet(1, 2).failure().message == expected
    assert contact_sheet("j", "").failure().message == "to: expected the path of a file, got ''"

    def written(journal, *_):
        raise {"m": MemoryError, "r": RuntimeError("odd")}[journal]

    monkeypatch.setattr("comfydeploy._mapping.contact_sheet.write_sheet", written)
    assert contact_sheet("r", "b").failure().message == "RuntimeError: odd"
    with pytest.raises(MemoryError):
        contact_sheet("m", "b")


class TestItems:
    def test_a_success(self, tmp_path):
        (tmp_path / "a.png").write_bytes(PIXEL)
        item = MapItem(0, "cat-1", {"inputs": {"seed": 3}}, "run-1", 2, [tmp_path / "a.png"], Success(run("success")))
        assert "MapItem(index=0, key='cat-1', run_id='run-1', attempt=2, saved=[" in repr(item)
        assert repr(item).endswith("result=<Success: WorkflowRunModel(id='run-1', status='success')>)")
        assert item._repr_mimebundle_()["text/plain"].splitlines()[:4] == [
            "Job  cat-1  success",
            "  run      run-1",
            "  attempt  2",
            "  inputs",
        ]
        assert Page(item._repr_mimebundle_()["text/html"]).addresses[0].startswith("data:image/png;base64,")

    def test_a_failure(self):
        requested = DeploymentRunRequest(deployment_id="d", inputs={"seed": 3})
        failed = RunFailed(f"cannot read {SIGNED}", run("failed", duration=2), "run-1")
        shown = MapItem(0, "k", requested, None, 1, [], Failure(failed))
        assert "5ec2e7" not in repr(shown) + str(shown._repr_mimebundle_())
        assert shown._repr_mimebundle_()["text/plain"].splitlines()[:2] == [
            "Job  k  failed",
            "  cannot read https://storage.test/a/in.png",
        ]
        unknown = MapItem(-1, "", {}, None, 0, [], Failure(errors.InvalidRequestError("no such server")))
        assert unknown._repr_mimebundle_()["text/plain"].splitlines() == ["Job  error", "  no such server"]
