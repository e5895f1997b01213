"""replicate."""

import sys
from importlib import import_module
from typing import Any


def lost(client: Any) -> str:
    return f"returned {client.models.predictions.create(('owner', 'app'), input={}).id}"


lost_502 = lost


def waited(client: Any) -> str:
    return f"returned {[str(file) for file in client.run('owner/app', input={})]}"


poll_502 = poll_nginx = poll_reset = failed = waited


def streamed(client: Any) -> str:
    count = 0
    try:
        for _ in client.stream("owner/app", input={}):
            count += 1
    except Exception as error:
        return f"{count} events, then {type(error).__name__}"
    return f"{count} events"


broken = streamed


def saved(client: Any) -> str:
    return f"{len(client.run('owner/app', input={})[0].read())} bytes in memory"


cut = saved


def absent(_: Any) -> str:
    return "has nothing of the kind"


if __name__ == "__main__":
    question = sys.argv[1]
    client = import_module("replicate").Client()
    try:
        print(globals().get(question, absent)(client))
    except Exception as error:
        print(f"raised {type(error).__name__}: {' '.join(str(error).split())[:160]}")
