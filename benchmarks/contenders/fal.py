"""fal-client."""

import sys
from importlib import import_module
from typing import Any


def created(client: Any) -> str:
    return f"returned {client.submit('owner/app', {}).request_id}"


def lost(client: Any) -> str:
    return created(client)


def lost_502(client: Any) -> str:
    return created(client)


def waited(client: Any) -> str:
    return f"returned {client.subscribe('owner/app', {})}"


poll_502 = poll_nginx = poll_reset = failed = waited


def streamed(client: Any) -> str:
    count = 0
    try:
        for _ in client.stream("owner/app", {}):
            count += 1
    except Exception as error:
        return f"{count} events, then {type(error).__name__}"
    return f"{count} events"


broken = streamed


def absent(_: Any) -> str:
    return "has nothing of the kind"


if __name__ == "__main__":
    question = sys.argv[1]
    client = import_module("fal_client").SyncClient()
    try:
        print(globals().get(question, absent)(client))
    except Exception as error:
        print(f"raised {type(error).__name__}: {' '.join(str(error).split())[:160]}")
