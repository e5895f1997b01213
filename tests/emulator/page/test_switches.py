"""Quirks and faults, switched on the page."""

import dataclasses
import re

import pytest

from comfydeploy._emulator.faults.faults import FaultOptions
from comfydeploy._emulator.page.fault_fields import FAULT_FIELDS, USUAL_FAULT_FIELDS, fault_options
from comfydeploy.emulator import Emulator, Fault, Quirk

EVIL = "<script>alert('x')</script>"


def test_page_lists_every_quirk_with_what_it_does(visitor):
    text = visitor.get("/switches")
    for quirk in Quirk:
        assert f"<code>{quirk}</code>" in text
        assert quirk.explanation in text
        assert quirk.trigger in text


def test_quirks_are_switched_on_and_off(visitor):
    visitor.send("/switches", "quirks", quirk=["empty-sync", "late-webhooks", "no-such-quirk"])
    assert visitor.emulator.quirks == {Quirk.EMPTY_SYNC, Quirk.LATE_WEBHOOKS}
    assert dict(visitor.form("/switches", "quirks").values).keys() == {"token", "quirk"}
    visitor.send("/switches", "quirks", quirk=None)
    assert visitor.emulator.quirks == set()


def test_switched_quirk_changes_next_answer(visit):
    with Emulator(port=None, pace=0) as emulator:
        visitor = visit(emulator)
        failing = {"deployment_id": emulator.deployments["failing"]}
        statuses = [visitor.api.post("/run/sync", json=failing).status_code]
        visitor.send("/switches", "quirks", quirk=["empty-sync"])
        statuses.append(visitor.api.post("/run/sync", json=failing).status_code)
        assert statuses == [400, 200]


def test_switched_quirk_closes_connections(visitor):
    unknown = "/deployment/00000000-0000-4000-8000-000000000000"
    visitor.send("/switches", "quirks", quirk=["closed-connection"])
    answer = visitor.api.get(unknown)
    assert answer.status_code == 500
    assert "connection" not in answer.headers


def test_files_open_although_addresses_expire(visitor):
    run_id = visitor.queue()
    visitor.emulator.advance(10)
    visitor.send("/switches", "quirks", quirk=["expiring-addresses"])
    (address,) = re.findall(r'<figcaption><a href="(.*?)"', visitor.get(f"/runs/{run_id}"))
    assert visitor.http.get(address).headers["content-type"] == "image/png"
    assert visitor.http.get(address.partition("?")[0]).status_code == 403


def test_new_start_has_quirks_of_its_options(visit):
    emulator = Emulator(port=None, quirks=[Quirk.EMPTY_SYNC])
    with emulator:
        visit(emulator).send("/switches", "quirks", quirk=["late-webhooks"])
        assert emulator.quirks == {Quirk.LATE_WEBHOOKS}
    with emulator:
        assert emulator.quirks == {Quirk.EMPTY_SYNC}


def test_every_option_of_faults_is_field():
    assert [one.name for one in FAULT_FIELDS] == list(FaultOptions.__annotations__)
    assert {one.name for one in FAULT_FIELDS} == {one.name for one in dataclasses.fields(Fault)} - {"operation"}
    assert all(one.description.endswith(".") for one in FAULT_FIELDS)
    assert [one.name for one in USUAL_FAULT_FIELDS] == ["times", "status", "delay", "hang", "reset"]
    kinds = {one.name: one.kind for one in FAULT_FIELDS}
    assert kinds["status"] == "integer"
    assert kinds["delay"] == "number"
    assert kinds["compress"] == "choice"
    assert kinds["headers"] == "json"
    assert kinds["retry_after"] == "line"


def test_fault_is_added_and_met(visitor):
    changes = {"input-operation": "run_get", "input-times": "1", "input-status": "503", "input-body": EVIL}
    answer = visitor.send("/switches", "add-fault", **changes, **{"input-headers": '{"x-a": "b"}'})
    assert (answer.status_code, answer.headers["location"]) == (303, "/switches#faults")
    assert visitor.emulator.faults == (
        Fault(operation="run_get", times=1, status=503, body=EVIL, headers={"x-a": "b"}),
    )
    assert "<script>alert" not in visitor.raw("/switches")
    run_id = visitor.queue()
    answers = [visitor.api.get(f"/run/{run_id}") for _ in range(2)]
    assert [one.status_code for one in answers] == [503, 200]
    assert (answers[0].text, answers[0].headers["x-a"]) == (EVIL, "b")


def test_fault_of_any_operation_has_star(visitor):
    visitor.send("/switches", "add-fault", **{"input-hang": "on"})
    assert visitor.emulator.faults == (Fault(hang=True),)
    assert "<code>*</code>" in visitor.raw("/switches")


@pytest.mark.parametrize(
    ("changes", "where", "error"),
    [
        ({"input-status": "1000"}, 'id="input-status-error"', "Enter a whole number: 200 to 599."),
        ({"input-headers": "{"}, 'id="input-headers-error"', "Enter JSON"),
        ({"input-headers": "[]", "input-status": "500"}, 'id="input-headers-error"', "valid dictionary"),
        ({"input-operation": EVIL, "input-hang": "on"}, 'id="input-operation-error"', "No operation is called"),
        ({}, 'role="alert"', "a fault needs an effect"),
        ({"input-hang": "on", "input-reset": "on"}, 'role="alert"', "exclude each other"),
    ],
)
def test_invalid_fault_is_shown_at_field(visitor, changes, where, error):
    answer = visitor.send("/switches", "add-fault", **changes)
    assert answer.status_code == 422
    assert visitor.emulator.faults == ()
    shown = answer.text[answer.text.index(where) :]
    assert error in shown.partition("</p>")[0]
    assert "<script>alert" not in answer.text


def test_faults_are_removed(visitor):
    visitor.emulator.fail("run_get", garbage=b"\xff")
    assert "garbage" in visitor.raw("/switches")
    visitor.send("/switches", "clear-faults")
    assert visitor.emulator.faults == ()
    assert 'id="clear-faults"' not in visitor.raw("/switches")


def test_options_of_fault_are_those_that_were_set():
    assert fault_options(Fault(status=503, headers={"a": "b"}, garbage=b"x")) == [
        ("status", "503"),
        ("headers", '{"a": "b"}'),
        ("garbage", "x"),
    ]
