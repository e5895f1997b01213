"""The fields of forms: what a control shows, and the value that it sends."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from comfydeploy._emulator.documents import json_list
from comfydeploy._emulator.page.writing import as_value

Kind: TypeAlias = Literal["text", "line", "integer", "number", "boolean", "choice", "file", "files", "json"]

_PREFIX: Final = "ComfyUIDeployExternal"
_KINDS: Final[dict[str, Kind]] = {"string": "text", "integer": "integer", "float": "number", "boolean": "boolean"}
# Files of these nodes, and what a browser lets people choose for them.
_FILES: Final = {
    "Image": "image/*",
    "ImageAlpha": "image/*",
    "ImageBatch": "image/*",
    "Video": "video/*",
    "Vid": "video/*",
    "Audio": "audio/*",
    "EXR": ".exr",
    "File": "",
}
_YES: Final = "on"


@dataclass(frozen=True)
class Field:
    """One field: ``name`` is its key in the inputs, ``default`` the value of a form that was not filled in."""

    name: str
    kind: Kind
    label: str = ""
    description: str = ""
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()
    accept: str = ""
    is_seed: bool = False

    @property
    def control(self) -> str:
        """The name of its control: letters, digits and signs that every form can send."""
        return f"input-{quote(self.name, safe='')}"

    @property
    def limits(self) -> str:
        """The allowed numbers, as a sentence of the form: ``16 to 2048``."""
        match self.low, self.high:
            case None, None:
                return ""
            case low, None:
                return f"{low:g} or more"
            case None, high:
                return f"{high:g} or less"
            case low, high:
                return f"{low:g} to {high:g}"

    def written(self, value: Any) -> str:
        """Write a value as the control shows it."""
        if self.kind == "boolean":
            return _YES if value is True else ""
        if self.kind == "files":
            return "\n".join(map(as_value, json_list(value))) if not isinstance(value, str) else value
        return "" if value is None else as_value(value)

    def read(self, text: str) -> Any:
        """Return the value of what the control sent, ``None`` for nothing.

        A ``ValueError`` says what was expected.
        """
        if self.kind == "boolean":
            return True if text == _YES else False if self.default is True else None
        if not text.strip():
            # Empty text is a value of its own where the workflow has some.
            return "" if self.kind in {"text", "line"} and self.default else None
        match self.kind:
            case "integer" | "number":
                return self._number(text.strip())
            case "choice" if text not in self.options:
                raise ValueError(f"Choose one of {', '.join(self.options)}.")
            case "json":
                return _json(text)
            case "files":
                return text.split()
            case _:
                # Browsers send line ends as CRLF.
                return text.strip() if self.kind == "file" else text.replace("\r\n", "\n")

    def _number(self, text: str) -> int | float:
        try:
            value = int(text) if self.kind == "integer" else float(text)
            is_within = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        except ValueError:
            value, is_within = 0, False
        if not is_within or not math.isfinite(value):
            kind = "a whole number" if self.kind == "integer" else "a number"
            raise ValueError(f"Enter {kind}{f': {self.limits}' if self.limits else ''}.")
        return value


def input_fields(input_types: Iterable[dict[str, Any]]) -> list[Field]:
    """Return the fields of a deployment's inputs; an input that several nodes take is one field."""
    fields: dict[str, Field] = {}
    for one in input_types:
        name = one.get("input_id")
        if isinstance(name, str) and name and name not in fields:
            fields[name] = _field(name, one)
    return list(fields.values())


def _field(name: str, one: dict[str, Any]) -> Field:
    node = str(one.get("class_type") or "").removeprefix(_PREFIX)
    options = tuple(map(str, json_list(one.get("enum_options"))))
    kind = _KINDS.get(str(one.get("type")), "text")
    if options:
        kind = "choice"
    elif node in _FILES:
        kind = "files" if node == "ImageBatch" else "file"
    elif kind == "text" and node == "TextSingleLine":
        kind = "line"
    return Field(
        name,
        kind,
        label=str(one.get("display_name") or name),
        description=str(one.get("description") or ""),
        default=one.get("default_value"),
        low=_number(one.get("min_value")),
        high=_number(one.get("max_value")),
        step=_number(one.get("step")),
        options=options,
        accept=_FILES.get(node, ""),
        is_seed=kind == "integer" and (node == "Seed" or name == "seed"),
    )


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError('Enter JSON, such as {"name": "value"}.') from None
