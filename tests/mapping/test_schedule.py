"""When jobs begin and requests are sent, and the order of items."""

from comfydeploy._mapping.schedule import Order, Pacing, Slots
from comfydeploy.errors import ConnectionError, SDKError
from comfydeploy.mapping import MapItem

BUSY = SDKError("busy", 503)


def item(index):
    return MapItem(index, str(index), {}, None, 1, [], None)


def test_jobs_in_doubt_are_counted_by_themselves():
    slots = Slots(2)
    slots.put(1)
    assert slots.has_room
    slots.put(2)
    assert not slots.has_room
    slots.put(1, is_doubtful=True)
    slots.put(2, is_doubtful=True)
    assert not slots.has_room
    slots.remove(1)
    slots.remove(1)
    assert slots.has_room


def test_a_job_counts_once():
    slots = Slots(2)
    slots.put(1)
    slots.put(1, is_doubtful=True)
    slots.put(2)
    assert slots.has_room  # one of each
    slots.put(1)
    assert not slots.has_room
    slots.put(2, is_doubtful=True)
    assert slots.has_room
    slots.put(1, is_doubtful=True)
    assert not slots.has_room


def test_refusals_slow_down_and_successes_recover():
    pacing = Pacing()
    assert [pacing.turn(0.0), pacing.turn(0.0)] == [0.0, 0.0]
    pacing.sent(BUSY, 0.0, 0.0, 0.0)
    assert pacing.turn(0.0) == 1.0
    assert [pacing.turn(1.0), pacing.turn(1.0)] == [0.0, 1.0]  # one at a time
    pacing.sent(ConnectionError("reset", "unknown"), 1.0, 1.0, 0.0)
    assert pacing.turn(1.0) == 2.0
    for _ in range(20):
        pacing.sent(BUSY, 100.0, 100.0, 0.0)
    assert pacing.turn(100.0) == 60.0
    for _ in range(12):
        pacing.sent(None, 200.0, 200.0, 0.0)
    assert [pacing.turn(200.0), pacing.turn(200.0)] == [0.0, 0.0]


def test_each_success_halves_the_pause():
    pacing = Pacing()
    for _ in range(2):
        pacing.sent(BUSY, 0.0, 0.0, 0.0)
    pauses = []
    for _ in range(7):
        pacing.sent(None, 100.0, 100.0, 0.0)
        now = 1000.0 * (1 + len(pauses))
        pacing.turn(now)
        pauses.append(pacing.turn(now))
    assert pauses == [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.0]


def test_each_success_of_several_together_counts():
    pacing = Pacing()
    for _ in range(2):
        pacing.sent(BUSY, 0.0, 0.0, 0.0)
    for now in (6.0, 6.5):
        pacing.sent(None, 5.0, now, 0.0)
    assert [pacing.turn(7.0), pacing.turn(7.0)] == [0.0, 0.5]


def test_errors_for_good_leave_the_pause():
    pacing = Pacing()
    pacing.sent(BUSY, 0.0, 0.0, 0.0)
    assert pacing.turn(1.0) == 0.0
    pacing.sent(SDKError("no credit", 403, headers={"retry-after": "30"}), 1.0, 1.0, 0.0)
    assert pacing.turn(2.0) == 0.0  # it proves that the service answers, as a success does
    assert pacing.turn(2.0) == 0.5


def test_requests_together_count_once():
    pacing = Pacing()
    for _ in range(20):
        pacing.sent(BUSY, 5.0, 6.0, 0.0)
    assert pacing.turn(6.0) == 1.0
    pacing.sent(None, 5.0, 6.5, 0.0)  # an earlier success proves nothing
    assert pacing.turn(7.0) == 0.0
    assert pacing.turn(7.0) == 1.0


def test_a_required_pause_is_kept():
    pacing = Pacing()
    pacing.sent(SDKError("slow", 429, headers={"retry-after": "30"}), 0.0, 0.0, 0.0)
    assert pacing.turn(0.0) == 30.0


def test_a_refusal_for_good_slows_nothing():
    pacing = Pacing()
    pacing.sent(SDKError("no credit", 403), 0.0, 0.0, 0.0)
    assert pacing.turn(0.0) == 0.0


def test_items_are_put_in_order():
    order = Order()
    shown = [[one.index for one in order.put(item(index))] for index in (2, 0, 1, 5, 4)]
    assert shown == [[], [0], [1, 2], [], []]
    assert [one.index for one in order.put(item(-1))] == [4, 5, -1]
    list(order.put(item(7)))
    assert [one.index for one in order.rest()] == [7]
