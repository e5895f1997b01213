"""The values of ``-i name=value``, typed by the inputs of a deployment."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from comfydeploy._wire.input_check import takes_files, takes_several
from comfydeploy._wire.json_types import is_array
from comfydeploy.errors import Problem, SDKValidationError
from comfydeploy.models.deployment import DeploymentInput
from comfydeploy.result import Failure, Result, Success

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def input_values(inputs: Iterable[DeploymentInput], given: Iterable[str]) -> Result[dict[str, Any], SDKValidationError]:
    """Return the values by their names, or the problems of all that cannot be read.

    The type of an input decides how its text is read; one that the deployment does not list is read as JSON where it
    is a number, true, false or a list, else as text. ``@FILE`` is a file: to upload, or to read the text from, as the
    input takes it. ``@@`` begins a text with an @. An input that is given twice is a list of files.
    """
    known = {one.input_id: one for one in inputs}
    texts: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for argument in given:
        name, equals, text = argument.partition("=")
        if equals and name:
            texts.setdefault(name, []).append(text)
        else:
            problems.append(Problem("$.inputs", f"expected name=value, got {argument!r}"))
    values: dict[str, Any] = {}
    for name, several in texts.items():
        try:
            values[name] = _value(known.get(name), several)
        except (ValueError, OSError) as error:
            problems.append(Problem(f"$.inputs.{name}", _reason(error)))
    if problems:
        summary = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
        return Failure(SDKValidationError(f"inputs: {summary}", (*problems,)))
    return Success(values)


def json_value(kind: DeploymentInput | None, value: object) -> Any:
    """Return a value of a JSON document as an input: a text that begins with @ is a file, as in ``input_values``."""
    return _value(kind, [value]) if isinstance(value, str) and value.startswith("@") else value


def _value(kind: DeploymentInput | None, texts: list[str]) -> Any:
    if kind is not None and takes_several(kind) and (len(texts) > 1 or _is_file(texts[0])):
        items = [_file(text) if _is_file(text) else _unescaped(text) for text in texts]
        return items if any(map(_is_file, texts)) else json.dumps(items)
    if len(texts) > 1:
        raise ValueError("is given twice")
    text = texts[0]
    if _is_file(text):
        if kind is None or takes_files(kind):
            return _file(text)
        text = Path(text[1:]).expanduser().read_text(encoding="utf-8")
        return _typed(kind, text if _is_text(kind) else text.strip())
    return _typed(kind, _unescaped(text))


def _typed(kind: DeploymentInput | None, text: str) -> Any:
    if kind is None:
        return _guessed(text)
    if kind.enum_options:
        return next((option for option in kind.enum_options if option_text(option) == text), text)
    words = (kind.type or "").lower()
    if words.startswith(("int", "float", "number")):
        try:
            return int(text)
        except ValueError:
            return _number(text)
    if words.startswith("bool"):
        return _WORDS.get(text.lower(), text)
    return text if _is_text(kind) or takes_several(kind) else _guessed(text)


def _number(text: str) -> float | str:
    """Return a number, or the text for the check, which says what was expected."""
    try:
        return float(text)
    except ValueError:
        return text


def _guessed(text: str) -> Any:
    """Return the number, boolean or list that a text is in JSON, otherwise the text."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float) or is_array(value) else text


def option_text(option: object) -> str:
    """Return an option or a default as users type it."""
    return option if isinstance(option, str) else json.dumps(option)


def _is_text(kind: DeploymentInput) -> bool:
    return (kind.type or "").lower().startswith("string") and not kind.enum_options


def _is_file(text: str) -> bool:
    return text.startswith("@") and not text.startswith("@@")


def _unescaped(text: str) -> str:
    return text.removeprefix("@") if text.startswith("@@") else text


def _file(text: str) -> Path:
    path = Path(text[1:]).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}; a text that begins with @ is written with @@")
    return path


def _reason(error: ValueError | OSError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the file is not text in UTF-8"
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror}; a text that begins with @ is written with @@"
    return str(error)
