import re
from uuid import UUID

import pytest

from comfydeploy._emulator.ids import Ids
from comfydeploy.emulator import Emulator

IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|fc-[0-9A-F]{26}|(?:img|file)_\w{16}")


def made(ids: Ids) -> list[str]:
    return [ids.uuid(), ids.function_call(), ids.word(16), ids.of("a").uuid(), ids.of("b").uuid()]


def test_same_seed_makes_same_ids():
    assert made(Ids(1)) == made(Ids(1))
    assert not set(made(Ids(1))) & set(made(Ids(2)))


def test_ids_without_seed_are_unique():
    assert not set(made(Ids())) & set(made(Ids()))


def test_ids_of_owners_are_independent():
    ids = Ids(1)
    before = ids.of("a").uuid()
    ids.uuid()
    assert ids.of("a").uuid() == before


def test_ids_have_forms_of_real_server():
    ids = Ids(1)
    assert UUID(ids.uuid()).version == 4
    assert re.fullmatch(r"fc-[0-9A-F]{26}", ids.function_call())
    assert re.fullmatch(r"[1-9A-Za-z]{16}", ids.word(16))


def all_answers(connect, **settings) -> str:
    """Return the text of the responses to every kind of request that creates an id."""
    with Emulator(pace=0, **settings) as emulator:
        client = connect(emulator)
        order = {"deployment_id": emulator.deployments["picture"], "inputs": {"width": 16}}
        texts = [
            client.post("/run/sync", json=order).text,
            client.post("/run/stream", json=order).text,
            client.post("/run", json={**order, "batch_number": 2}).text,
            client.post("/run", json={**order, "is_native_run": True}).text,
            client.post("/file/upload", files={"file": ("a.png", b"")}).text,
            client.post("/session", json={"machine_id": client.get("/deployments").json()[0]["machine_id"]}).text,
        ]
        return "\n".join([*texts, *(run.id for run in emulator.runs)])


def test_server_with_seed_repeats_its_ids(connect):
    first, second = (IDS.findall(all_answers(connect, seed=7)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 10


def test_other_seeds_share_no_id(connect):
    with Emulator() as emulator:
        known = set(IDS.findall(connect(emulator).get("/deployments").text))
    ids_of = [set(IDS.findall(all_answers(connect, seed=seed))) - known for seed in (1, 2, None, None)]
    for number, one in enumerate(ids_of):
        assert not any(one & other for other in ids_of[number + 1 :])


def test_seed_excludes_kept_runs(tmp_path):
    with pytest.raises(ValueError, match="seed cannot be combined with data"):
        Emulator(seed=1, data=tmp_path)
