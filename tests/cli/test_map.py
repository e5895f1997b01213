"""The jobs of a file, run and resumed."""

import json
import signal
import threading
import time

import pytest

from comfydeploy.emulator import Emulator

FAILING = "71dcad40-97ed-5938-8cac-3e5f19f195ab"


@pytest.fixture
def server():
    with Emulator(pace=0) as running:
        yield running


@pytest.fixture
def mapped(server, shell, tmp_path):
    """Run the jobs of a text: ``mapped("jobs.csv", "prompt\\na cat\\n", ...)``."""

    def run(name, text, *arguments):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return shell(server, "map", name, "--journal", "j.sqlite", *arguments)

    return run


def test_rows_of_csv(server, mapped, tmp_path):
    (tmp_path / "words.txt").write_text("a dog", encoding="utf-8")
    rows = "key,prompt,seed\na,a cat,1\nb,@words.txt,\n"
    options = ("--deployment", "picture", "-o", "out/{key}{suffix}", "--sheet", "sheet.html")
    done = mapped("jobs.csv", rows, *options)
    assert done.code == 0
    assert sorted(line.split("\t")[0] for line in done.out.splitlines()) == ["a", "b"]
    assert "2 of 2 jobs: 2 ok" in done.err
    sent = sorted((run.workflow_inputs["prompt"], run.workflow_inputs.get("seed")) for run in server.runs)
    assert sent == [("a cat", 1), ("a dog", None)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    assert "a cat" in (tmp_path / "sheet.html").read_text(encoding="utf-8")
    again = mapped("jobs.csv", rows, *options, "--json")
    assert len(server.runs) == 2
    data = again.result["data"]
    assert (data["journal"], data["jobs"], data["outcomes"]) == ("j.sqlite", 2, {"ok": 2})
    assert data["sheet"].endswith("sheet.html")


def test_lines_of_json(server, mapped):
    lines = [
        {"prompt": "a cat", "key": "a"},
        {"inputs": {"prompt": "@@home"}, "key": "b"},
        {"deployment_id": FAILING, "key": 3},
    ]
    done = mapped("jobs.jsonl", "\n\n".join(map(json.dumps, lines)), "--deployment", "picture", "--json")
    jobs = {record["data"]["key"]: record for record in done.records if record["type"] == "job"}
    assert (done.code, done.result["data"]["outcomes"]) == (3, {"ok": 2, "failed": 1})
    assert jobs["3"]["error"]["kind"] == "RunFailed"
    assert jobs["b"]["data"]["run"]["status"] == "success"
    assert {"@home", "a cat"} <= {run.workflow_inputs.get("prompt") for run in server.runs}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("jobs.csv", "prompt\na,b\n", "jobs.csv, line 2: the row has more cells than there are columns"),
        ("jobs.csv", "seed,image\n1,@none.png\n", "jobs.csv, line 2: inputs: $.inputs.image: there is no file"),
        ("jobs.csv", "prompt\n", "there are no jobs"),
        ("jobs.jsonl", "{}\n{", "line 2 is not JSON"),
        ("jobs.jsonl", "[]", "line 1 is not a JSON object"),
        ("jobs.jsonl", '{"image": "@none.png"}', "jobs.jsonl, line 1: there is no file 'none.png'"),
        ("jobs.jsonl", '{"deployment_id": "d", "inputs": 3}', "inputs"),
        ("jobs.jsonl", '{"promt": 3}', "did you mean 'prompt'?"),
    ],
)
def test_wrong_jobs_create_no_run(server, mapped, name, text, reason):
    done = mapped(name, text, "--deployment", "picture")
    assert done.code == 2
    assert reason in done.err
    assert server.runs == ()


def test_job_without_a_deployment(mapped, server):
    assert "line 1: the job names no deployment_id: give --deployment" in mapped("jobs.jsonl", "{}").err
    server.fail("deployments_list", status=403)
    assert mapped("jobs.jsonl", "{}", "--deployment", "picture").code == 1


def test_journal_that_cannot_be_used(mapped, tmp_path):
    (tmp_path / "j.sqlite").write_text("no database", encoding="utf-8")
    done = mapped("jobs.jsonl", '{"prompt": "a"}', "--deployment", "picture")
    assert (done.code, "Error: " in done.err) == (2, True)


def test_sheet_that_cannot_be_written(mapped):
    done = mapped("jobs.jsonl", '{"prompt": "a"}', "--deployment", "picture", "--sheet", ".", "--json")
    assert done.code == 2
    assert done.result["data"]["outcomes"] == {"ok": 1}


def test_interrupt_names_the_journal(shell, tmp_path):
    (tmp_path / "jobs.jsonl").write_text('{"prompt": "a"}', encoding="utf-8")
    with Emulator(clock="manual") as server:

        def interrupt():
            while not server.runs:
                time.sleep(0)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        sender = threading.Thread(target=interrupt)
        sender.start()
        done = shell(server, "map", "jobs.jsonl", "--journal", "j.sqlite", "--deployment", "picture", "--json")
        sender.join()
        assert (done.code, done.result["data"]["journal"]) == (130, "j.sqlite")
        assert "To resume: the same command again" in done.err
        assert len(server.runs) == 1
