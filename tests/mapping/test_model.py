"""The protocol of the map on every state of a small model, and weakened protocols, which create two runs.

``python tests/mapping/test_model.py`` visits the states of two processes and two jobs as well, in two minutes of
processor time, and writes ``model.txt``.
"""

import sys
from pathlib import Path

import pytest
from attrs import evolve
from model import ANSWERS, FOREVER, LOST, Checker, World, following

from comfydeploy._mapping import protocol
from comfydeploy._mapping.protocol import Look, Post, Prepare, Sighting, Terms
from comfydeploy._mapping.rows import DURABLE, Finish, Try, changed
from comfydeploy.result import Success

TERMS = Terms(post_limit=1.0, longest_post=1.0, grace=1.0)
SHORT = evolve(TERMS, grace=0.0)
NEVER = evolve(TERMS, resend="never")
REAL = World(jobs=1, others=True)
PLAIN = evolve(REAL, outages=False)


def trusting(position):
    """Return a position that treats the absence of a run as certain."""
    return evolve(position, certain_at=-1.0) if position.certain_at < FOREVER else position


def trusting_begin(row, terms, now):
    return trusting(protocol.begin(row, terms, now))


def trusting_next(position, answer):
    return trusting(following(position, answer))


def careless_begin(row, terms, now):
    """Begin as if no other process had sent the request."""
    position = protocol.begin(row, terms, now)
    is_look = isinstance(position.action, Look)
    return evolve(position, action=Prepare(), is_doubtful=False) if is_look else position


def hasty_next(position, answer):
    """Trust a list that has shown no run of the map."""
    if isinstance(answer, Success) and isinstance(answer.unwrap(), Sighting):
        answer = Success(answer.unwrap()._replace(shown=True))
    return following(position, answer)


def is_lost(position, answer):
    return isinstance(position.action, Post) and any(answer is ANSWERS[lost] for lost in LOST)


def repeating_next(position, answer):
    """Treat a lost response as a request that was not sent."""
    return following(position, ANSWERS["not sent"] if is_lost(position, answer) else answer)


def resigned_next(position, answer):
    """Treat a lost response as the end of the job."""
    if is_lost(position, answer):
        row = position.row
        return evolve(position, action=Finish(row.id, row.owner, None, None, None), result=answer)
    return following(position, answer)


def unguarded(row, step):
    """Record a request without a check of the owner."""
    return changed(row, step._replace(owner=row.owner) if isinstance(step, Try) else step)


def unnoted(row, step):
    """Record no request."""
    after = changed(row, step)
    return after and evolve(after, tried_at=None)


WORLDS = {
    "one job beside others": REAL,
    "lists show nothing": World(jobs=1, blind=True, claims=(2,)),
    "never sent again, without any assumption": World(jobs=1, others=True, longest=FOREVER, claims=(2,), terms=NEVER),
    "failed runs are repeated": World(jobs=1, outages=False, longest=1, claims=(2,), terms=evolve(SHORT, attempts=2)),
    "two jobs": World(outages=False, claims=(1, 1)),
}
LONG = {
    "every step takes its time": World(jobs=1, others=True, slow=True, lost=LOST),
    "failed runs are repeated, beside others": World(jobs=1, others=True, terms=evolve(TERMS, attempts=2)),
    "two jobs, one taken over": World(outages=False, claims=(2, 1)),
    "two jobs, each taken over": World(outages=False, claims=(2, 2)),
    "two jobs, taken over again and again": World(outages=False, crashes=False, longest=1, terms=SHORT),
}
WEAK = {
    "the note of a request is not durable": evolve(PLAIN, durable=tuple(set(DURABLE) - {Try})),
    "no note of a request": evolve(PLAIN, store=unnoted),
    "no grace": evolve(PLAIN, terms=SHORT),
    "absence is trusted at once": evolve(PLAIN, begin=trusting_begin, next=trusting_next),
    "absence is trusted after a take-over": evolve(PLAIN, begin=trusting_begin),
    "absence is trusted after a lost answer": evolve(PLAIN, next=trusting_next),
    "lists that show nothing are trusted": evolve(PLAIN, blind=True, next=hasty_next),
    "all claims have one owner": evolve(PLAIN, owner=lambda _: "w"),
    "the owner is not checked": evolve(PLAIN, store=unguarded),
    "no look after a take-over": evolve(PLAIN, begin=careless_begin),
    "a lost answer is taken as not sent": evolve(PLAIN, next=repeating_next),
    "a run may appear at any time": evolve(PLAIN, longest=FOREVER),
    "a request may be sent late": evolve(PLAIN, late=True),
}


@pytest.mark.parametrize("name", WORLDS)
def test_no_run_is_paid_twice_or_lost(name):
    """In the first world every state also has a path to the end of all jobs."""
    found = Checker(WORLDS[name]).search(ends=WORLDS[name] is REAL)
    assert found.fault is None, found.way
    assert found.stuck == []
    assert found.states > 500


@pytest.mark.parametrize("name", WEAK)
def test_a_weaker_protocol_pays_twice(name):
    found = Checker(WEAK[name]).search()
    assert found.fault == "twice"
    assert found.way[-1].endswith(("'r1')", "its run appears"))


def test_lost_answer_that_ends_a_job():
    assert Checker(evolve(PLAIN, next=resigned_next)).search().fault == "lost"


def test_nothing_is_certain_without_a_run():
    """Jobs in doubt stay so, because a list without any run of the map proves nothing."""
    stuck = Checker(World(jobs=1, outages=False, crashes=False, longest=1, terms=SHORT)).search(ends=True).stuck
    assert stuck
    assert "try: tried" in stuck[-2]


def table():
    lines = ["| world | states | faults |", "|---|---|---|"]
    for name, world in {**WORLDS, **LONG}.items():
        found = Checker(world).search()
        lines.append(f"| {name} | {found.states:,} | {found.fault or 'none'} |")
    for name, world in WEAK.items():
        found = Checker(world).search()
        lines.append(f"| weakened: {name} | {found.states:,} | {found.fault}, after {len(found.way)} steps |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = table()
    Path(__file__).with_name("model.txt").write_text(text)
    sys.stdout.write(text)
