from comfydeploy._emulator.quirks.active import ActiveQuirks
from comfydeploy._emulator.quirks.catalogue import Quirk


def test_quirks_are_replaced_as_whole():
    active = ActiveQuirks([Quirk.EMPTY_SYNC])
    assert list(active) == ["empty-sync"]
    active.replace([Quirk.LATE_WEBHOOKS, Quirk.GET_WEBHOOKS])
    assert Quirk.EMPTY_SYNC not in active
    assert Quirk.LATE_WEBHOOKS in active
    assert len(active) == 2
