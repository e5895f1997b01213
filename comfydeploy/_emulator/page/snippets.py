"""Examples that start a run, for a terminal and for Python."""

import json
from collections.abc import Mapping
from shlex import quote
from typing import Any, Final

_NARROW: Final = 40  # characters


def curl(url: str, key: str, deployment_id: str, inputs: Mapping[str, Any]) -> str:
    """Write the command that queues a run."""
    body = json.dumps({"deployment_id": deployment_id, "inputs": dict(inputs)}, ensure_ascii=False)
    return (
        f"curl {quote(f'{url}/run/deployment/queue')} \\\n"
        f"  -H {quote(f'authorization: Bearer {key}')} \\\n"
        "  -H 'content-type: application/json' \\\n"
        f"  -d {quote(body)}"
    )


def python(url: str, key: str, deployment_id: str, inputs: Mapping[str, Any]) -> str:
    """Write the program that queues a run, waits for its end and prints it."""
    return (
        "from comfydeploy import ComfyDeploy\n\n"
        f"with ComfyDeploy(bearer={_literal(key)}, server_url={_literal(url)}) as client:\n"
        "    run = client.run.queue_and_wait(\n"
        "        {\n"
        f'            "deployment_id": {_literal(deployment_id)},\n'
        f'            "inputs": {_inputs(inputs)},\n'
        "        }\n"
        "    )\n"
        "    print(run)"
    )


def _inputs(inputs: Mapping[str, Any]) -> str:
    items = [f"{_literal(name)}: {_literal(value)}" for name, value in inputs.items()]
    if sum(map(len, items)) <= _NARROW:
        return f"{{{', '.join(items)}}}"
    lines = "".join(f"                {item},\n" for item in items)
    return f"{{\n{lines}            }}"


def _literal(value: Any) -> str:
    # Text with the quotes that formatters of Python use.
    if isinstance(value, str) and '"' not in value and "'" not in value:
        return f'"{repr(value)[1:-1]}"'
    return repr(value)
