"""ComfyUI's errors about a graph, as sentences."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from comfydeploy._emulator.documents import is_list, json_list, json_object

_MOST_CHOICES: Final = 20


def refusal_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for the error of a prompt, and one for each error of a node."""
    error = json_object(answer.get("error"))
    if error:
        details = f" ({error['details']})" if error.get("details") else ""
        yield f"ComfyUI refused the graph: {error.get('message')}{details}"
    elif answer.get("node_errors"):
        yield "ComfyUI dropped outputs of the graph as invalid; they are missing"
    for node, entry in json_object(answer.get("node_errors")).items():
        node_class = json_object(entry).get("class_type")
        for problem in map(json_object, json_list(json_object(entry).get("errors"))):
            yield f"{node_class} (node {node}): {_problem(problem)}"


def _problem(problem: dict[str, Any]) -> str:
    extra = json_object(problem.get("extra_info"))
    where = f"input {extra['input_name']}: " if extra.get("input_name") else ""
    details = f": {problem['details']}" if problem.get("details") else ""
    return f"{where}{problem.get('message')}{details}{_choices(json_list(extra.get('input_config')))}"


def _choices(config: list[Any]) -> str:
    choices = config[0] if config else None
    if not is_list(choices):
        return ""
    if not choices:
        return "; none is available"
    more = ", ..." if len(choices) > _MOST_CHOICES else ""
    return f"; available: {', '.join(map(str, choices[:_MOST_CHOICES]))}{more}"
