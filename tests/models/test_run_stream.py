"""The events of a stream match by their class and kind."""

import typing
from datetime import UTC, datetime

import pytest
from attrs.exceptions import FrozenInstanceError

from comfydeploy.models import EventUpdate, EventUpdateEvent, LogUpdate, LogUpdateEvent, RunStream, UnknownEvent

STEP = EventUpdateEvent(data=EventUpdate(event="executing", data={"node": "3"}))
LINE = LogUpdateEvent(data=LogUpdate(logs="hello", timestamp=datetime(2026, 11, 23, tzinfo=UTC)))
OTHER = UnknownEvent(event="new", data=[1])


def text_of(event):
    match event:
        case EventUpdateEvent(data=EventUpdate(event="executing", data={"node": node})):
            return node
        case LogUpdateEvent(data=LogUpdate(logs=text)):
            return text
        case UnknownEvent(event=name):
            return name


def test_events_match_by_class_and_kind():
    assert [text_of(event) for event in (STEP, LINE, OTHER)] == ["3", "hello", "new"]


def test_events_have_name_they_have_on_wire():
    assert [event.event for event in (STEP, LINE, OTHER)] == ["event_update", "log_update", "new"]
    assert set(typing.get_args(RunStream)) == {EventUpdateEvent, LogUpdateEvent, UnknownEvent}


@pytest.mark.parametrize("event", [STEP, LINE, OTHER])
def test_events_cannot_be_changed(event):
    with pytest.raises(FrozenInstanceError):
        event.data = None


def test_step_may_have_neither_kind_nor_data():
    assert (EventUpdate().event, EventUpdate().data, EventUpdate().raw) == (None, None, {})
    assert LogUpdate(logs="").timestamp is None
