"""What the forms of the page do, and whose forms are accepted."""

import io

import httpx
import pytest
from PIL import Image

from comfydeploy._emulator.deployments.deployment import Deployment
from comfydeploy.emulator import CannotStart, Emulator, Quirk

EVIL = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"
NO_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def deployment(visitor):
    """The address of the page of a deployment."""
    return f"/deployments/{visitor.emulator.deployments['picture']}"


def png():
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    return content.getvalue()


def test_form_as_it_stands_runs_usual_inputs(visitor, deployment):
    run = visitor.sent_run(visitor.send(deployment, "run"))
    assert run.workflow_inputs == {"prompt": "a quiet harbour at dawn", "width": 512, "height": 512, "seed": 0}
    assert (run.status, run.origin) == ("not-started", "manual")
    assert run.deployment_id == visitor.emulator.deployments["picture"]
    visitor.emulator.advance(10)
    assert visitor.emulator.runs[0].status == "success"


def test_values_of_form_are_inputs(visitor, deployment):
    changes = {
        "input-prompt": "\n two\r\nlines ",
        "input-seed": "7",
        "input-width": "",
        "input-fail": "on",
        "input-text": EVIL,
    }
    run = visitor.sent_run(visitor.send(deployment, "run", **changes))
    assert run.workflow_inputs == {"prompt": "\n two\nlines ", "height": 512, "seed": 7, "fail": True, "text": EVIL}


def test_errors_are_shown_at_their_fields(visitor, deployment):
    answer = visitor.send(deployment, "run", **{"input-width": "9", "input-seed": "x", "input-prompt": EVIL})
    assert answer.status_code == 422
    assert visitor.emulator.runs == ()
    assert "2 inputs are not valid: nothing was started." in answer.text
    assert '<p class="error" id="input-width-error">Enter a whole number: 16 to 2048.</p>' in answer.text
    assert '<p class="error" id="input-seed-error">Enter a whole number.</p>' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert 'aria-describedby="input-width-about input-width-error"' in answer.text
    assert 'value="9"' in answer.text
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_run_again_has_same_request(visitor):
    visitor.queue(inputs={"seed": 3, "x": ["a"]}, gpu="T4", webhook="http://127.0.0.1:9/", origin="api")
    (first,) = visitor.emulator.runs
    second = visitor.sent_run(visitor.send(f"/runs/{first.id}", "again"))
    same = ("workflow_inputs", "gpu", "webhook", "deployment_id", "workflow_version_id", "webhook_intermediate_status")
    assert second.id != first.id
    assert [getattr(second, name) for name in same] == [getattr(first, name) for name in same]


def test_run_of_version_can_be_repeated(visitor):
    row = visitor.api.get("/deployments").json()[0]
    body = {name: row[name] for name in ("workflow_version_id", "machine_id")} | {"inputs": {"seed": 3}}
    run_id = visitor.api.post("/run", json=body).json()["run_id"]
    run = visitor.sent_run(visitor.send(f"/runs/{run_id}", "again"))
    assert (run.workflow_version_id, run.deployment_id, run.workflow_inputs) == (
        row["workflow_version_id"],
        None,
        {"seed": 3},
    )


def test_run_of_own_graph_cannot_be_repeated(visitor):
    row = visitor.api.get("/deployments").json()[0]
    graph = {"1": {"class_type": "SaveImage", "inputs": {}}}
    body = {"workflow_id": row["workflow_id"], "machine_id": row["machine_id"], "workflow_api_json": graph}
    run_id = visitor.api.post("/run", json=body).json()["run_id"]
    token = dict(visitor.form(f"/runs/{run_id}", "cancel").values)
    assert 'id="again"' not in visitor.raw(f"/runs/{run_id}")
    answer = visitor.http.post(f"/runs/{run_id}/again", data=token, headers={"origin": "http://127.0.0.1:3011"})
    assert answer.status_code == 409
    assert "graph of its request" in answer.text


def test_run_can_be_changed_and_repeated(visitor):
    run_id = visitor.queue(inputs={"seed": 3, "prompt": EVIL, "unknown": 1})
    (address,) = [part for part in visitor.raw(f"/runs/{run_id}").split('"') if part.startswith("/deployments/")]
    run = visitor.sent_run(visitor.send(address, "run", **{"input-seed": "4"}))
    assert (run.workflow_inputs["prompt"], run.workflow_inputs["seed"]) == (EVIL, 4)


def test_run_can_be_cancelled_once(visitor):
    run_id = visitor.queue()
    run = visitor.sent_run(visitor.send(f"/runs/{run_id}", "cancel"))
    assert (run.id, run.status) == (run_id, "cancelled")
    assert 'id="cancel"' not in visitor.raw(f"/runs/{run_id}")


def test_cancelled_too_late_run_stays_as_it_is(visitor):
    run_id = visitor.queue()
    form = visitor.form(f"/runs/{run_id}", "cancel")
    visitor.emulator.advance(10)
    visitor.http.post(form.action, data=dict(form.values), headers={"origin": "http://127.0.0.1:3011"})
    assert visitor.emulator.runs[0].status == "success"


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"/deployments/{NO_ID}/run", "No such deployment"),
        ("/deployments/%3Cb%3E/run", "No such deployment"),
        (f"/runs/{NO_ID}/again", "No such run"),
        ("/runs/%3Cb%3E/cancel", "No such run"),
    ],
)
def test_unknown_things_have_page_that_says_so(visitor, deployment, path, what):
    token = dict(visitor.form(deployment, "run").values)["token"]
    answer = visitor.http.post(path, data={"token": token}, headers={"origin": "http://127.0.0.1:3011"})
    assert answer.status_code == 404
    assert what in answer.text
    assert "<b>" not in answer.text


def test_scripted_refusal_is_shown(visitor, deployment):
    visitor.emulator.script("picture", CannotStart(at_once=True))
    answer = visitor.send(deployment, "run")
    assert answer.status_code == 500
    assert "The run was not started" in answer.text
    assert [run.status for run in visitor.emulator.runs] == ["failed"]


def test_quirk_refuses_what_cannot_be_stored(visit):
    with Emulator(port=None, quirks=[Quirk.BROKEN_STORING]) as emulator:
        visitor = visit(emulator)
        path = f"/deployments/{emulator.deployments['picture']}"
        assert visitor.send(path, "run", **{"input-prompt": "\0"}).status_code == 500
        assert emulator.runs == ()


FORMS = [
    ("/deployments/{deployment}", "run"),
    ("/runs/{run}", "again"),
    ("/runs/{run}", "cancel"),
    ("/switches", "quirks"),
    ("/switches", "add-fault"),
    ("/switches", "clear-faults"),
]

FORGED = [
    {"origin": None},
    {"origin": "null"},
    {"origin": "https://example.com"},
    {"origin": "http://127.0.0.1:3012"},
    {"origin": "http://127.0.0.1.example.com:3011"},
    {"token": None},
    {"token": ""},
    {"token": "x" * 43},
    {"token": "\u00e4"},
]


@pytest.fixture
def state(visitor):
    """What forms change."""
    visitor.emulator.fail("run_get", status=503)
    names = {"deployment": visitor.emulator.deployments["picture"], "run": visitor.queue()}
    return names, lambda: (visitor.emulator.runs, visitor.emulator.quirks, visitor.emulator.faults)


@pytest.mark.parametrize(("path", "name"), FORMS)
def test_forged_form_is_refused(visitor, state, path, name):
    names, now = state
    before = now()
    for forged in FORGED:
        answer = visitor.send(path.format(**names), name, **forged)
        assert answer.status_code == 403, forged
        assert "This form was not accepted" in answer.text
        assert "Nothing was changed." in answer.text
    assert now() == before


@pytest.mark.parametrize(("path", "name"), FORMS)
def test_form_is_no_link(visitor, state, path, name):
    names, now = state
    before = now()
    assert visitor.http.get(visitor.form(path.format(**names), name).action).status_code == 405
    assert now() == before


def test_token_of_earlier_start_is_refused(visit):
    with Emulator(port=None) as first, Emulator(port=None) as second:
        path = f"/deployments/{first.deployments['picture']}"
        token = dict(visit(first).form(path, "run").values)["token"]
        answer = visit(second).send(path, "run", token=token)
        assert answer.status_code == 403
        assert "Reload its page" in answer.text
        assert second.runs == ()


def test_other_computers_need_key_for_forms(visitor, state):
    names, now = state
    before = now()
    form = visitor.form(f"/runs/{names['run']}", "cancel")
    headers = {"host": "192.0.2.7", "origin": "http://192.0.2.7"}
    send = visitor.http.post
    assert send(form.action, data=dict(form.values), headers=headers).status_code == 401
    assert now() == before
    auth = httpx.BasicAuth("anybody", visitor.emulator.bearer)
    assert send(form.action, data=dict(form.values), headers=headers, auth=auth).status_code == 303
    assert visitor.emulator.runs[0].status == "cancelled"


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("application/json", b"{}"),
        ("", b""),
        ("application/x-www-form-urlencoded", b"token=a&" * 2_000),
    ],
)
def test_unreadable_form_has_page_that_says_so(visitor, deployment, content_type, content):
    headers = {"origin": "http://127.0.0.1:3011", "content-type": content_type}
    answer = visitor.http.post(f"{deployment}/run", content=content, headers=headers)
    assert answer.status_code in {400, 403}
    assert "This form was not accepted" in answer.text


def test_large_form_is_refused(visitor):
    headers = {"origin": "http://127.0.0.1:3011", "content-type": "application/x-www-form-urlencoded"}
    large = b"&".join([b"quirk=" + b"x" * 1_000_000] * 40)
    answer = visitor.http.post("/switches/quirks", content=large, headers=headers)
    assert answer.status_code == 413
    assert "more than 32 MB" in answer.text


@pytest.fixture
def pictured(visitor, monkeypatch):
    """A deployment that takes files and choices: its page and what its form sends."""
    types = [
        {"input_id": "face", "class_type": "ComfyUIDeployExternalImage", "display_name": EVIL},
        {"input_id": "many", "class_type": "ComfyUIDeployExternalImageBatch"},
        {
            "input_id": "style",
            "class_type": "ComfyUIDeployExternalEnum",
            "enum_options": ["oil", EVIL],
            "default_value": "oil",
        },
    ]
    monkeypatch.setattr(Deployment, "input_types", types)
    return f"/deployments/{visitor.emulator.deployments['picture']}"


def test_pictures_are_uploaded_as_addresses(visitor, pictured):
    files = [
        ("input-face", ("a cat.png", png(), "image/png")),
        ("input-many", ("1.png", png())),
        ("input-many", ("2.png", png())),
    ]
    answer = visitor.send(pictured, "run", files=files, **{"input-many": "https://example.com/0.png"})
    inputs = visitor.sent_run(answer).workflow_inputs
    assert inputs["style"] == "oil"
    assert inputs["many"][0] == "https://example.com/0.png"
    for address in (inputs["face"], *inputs["many"][1:]):
        assert address.startswith("http://127.0.0.1:3011/inputs/img_")
        assert visitor.http.get(address).content == png()


def test_address_can_be_given_in_place_of_picture(visitor, pictured):
    answer = visitor.send(pictured, "run", **{"input-face": "https://example.com/a.png", "input-style": EVIL})
    assert visitor.sent_run(answer).workflow_inputs == {"face": "https://example.com/a.png", "style": EVIL}


def test_uploaded_picture_survives_error(visitor, pictured):
    files = [("input-face", ("a.png", png(), "image/png"))]
    answer = visitor.send(pictured, "run", files=files, **{"input-style": "none"})
    assert answer.status_code == 422
    assert "Choose one of oil" in answer.text
    assert 'value="http://127.0.0.1:3011/inputs/img_' in answer.text


def test_file_of_other_kind_is_refused_at_field(visitor, pictured):
    answer = visitor.send(pictured, "run", files=[("input-face", (f"{EVIL[:8]}.txt", b"x", "text/plain"))])
    assert answer.status_code == 422
    assert "The server does not take files such as &lt;script&gt;.txt." in answer.text
