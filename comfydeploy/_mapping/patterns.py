"""The paths of the files of jobs: a pattern such as ``out/{prompt}-{seed}{suffix}``, filled in for each file.

A name depends only on the job and its run, never on files on the disk, so that a rerun has the same name.
"""

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any, Final, NamedTuple

from attrs import frozen

from comfydeploy._wire.arguments import invalid_argument, path_text
from comfydeploy._wire.file_names import MOST, UNSAFE, safe_name, suffix_of
from comfydeploy._wire.file_values import is_file, is_named_bytes
from comfydeploy.models.output_file import OutputFile

_OF_FILES: Final = ("suffix", "filename", "stem", "kind", "output_id", "node_id", "index")
_OF_RUNS: Final = ("run_id", "attempt")
_MOST_OF_VALUE: Final = 100  # bytes, so that a long prompt leaves room for the seed after it
_DIGITS: Final = 8


class _Part(NamedTuple):
    """Literal text, and the field after it, if there is one."""

    literal: str
    name: str | None
    format: str


@frozen
class Pattern:
    """A checked pattern: the parts of each folder and of the file name, below ``root``."""

    root: str
    levels: tuple[tuple[_Part, ...], ...]

    @property
    def fields(self) -> set[str]:
        """The names of all fields."""
        return {part.name for level in self.levels for part in level if part.name is not None}

    def place(self, key: str, inputs: Mapping[str, Any]) -> str | None:
        """Return the known part of the paths of a job; ``None`` if the id of the run makes them unique.

        Raise ``SDKValidationError`` for a field that is missing in the job.
        """
        filled = self._filled({**inputs, "key": key, **dict.fromkeys((*_OF_RUNS, *_OF_FILES), "")}, "")
        # A file system may ignore the case of letters.
        return None if "run_id" in self.fields else "/".join(filled).casefold()

    def paths(
        self, key: str, inputs: Mapping[str, Any], run_id: str, attempt: int, files: Sequence[OutputFile]
    ) -> list[Path]:
        """Return the path of each file of a run."""
        known = {**inputs, "key": key, "run_id": run_id, "attempt": attempt}
        is_numbered = len(files) > 1 and "index" not in self.fields
        return [
            Path(self.root, *self._filled({**known, **_file_values(file, index)}, f"-{index}" if is_numbered else ""))
            for index, file in enumerate(files)
        ]

    def _filled(self, values: Mapping[str, Any], number: str) -> list[str]:
        *folders, name = [_text(level, values) for level in self.levels]
        last = self.levels[-1][-1]
        suffix = _safe(values["suffix"]) if last.name else PurePosixPath(f"x{last.literal}").suffix
        stem = name.removesuffix(suffix)
        return [*(_fitted(folder, "") for folder in folders), _fitted(stem + number, name[len(stem) :])]


def checked_pattern(to: Any) -> Pattern:
    """Return the pattern of an argument ``to``; raise ``SDKValidationError`` for an invalid one.

    A path without fields is a folder, in which the files of a job are named by its key.
    """
    text = path_text("to", to, "a pattern or a folder")
    root, levels = _levels(text.replace(os.sep, "/"))
    try:
        parts = tuple(tuple(_parts(level)) for level in levels)
    except ValueError as error:
        raise invalid_argument("to", f"{error}: {text!r}") from None
    if not any(part.name for level in parts for part in level):
        return Pattern(text, (tuple(_parts("{key}{suffix}")),))
    return Pattern(root, parts)


def _levels(text: str) -> tuple[str, list[str]]:
    """Split a pattern at its first folder with a field."""
    levels = text.split("/")
    first = next((index for index, level in enumerate(levels) if "{" in level), len(levels) - 1)
    root = "/".join(levels[:first]) + ("/" if first else "")
    return root, [level for level in levels[first:] if level]


def _parts(level: str) -> list[_Part]:
    parts: list[_Part] = []
    for literal, name, form, conversion in Formatter().parse(level):
        if name is not None and (not name or conversion or any(mark in name for mark in ".[{") or "{" in (form or "")):
            raise ValueError(f"expected fields such as {{seed}} or {{seed:05}}, got {{{name}}}")
        parts.append(_Part(literal, name, form or ""))
    return parts


def _text(level: tuple[_Part, ...], values: Mapping[str, Any]) -> str:
    return "".join(_safe(part.literal) + _value(part, values) for part in level)


def _value(part: _Part, values: Mapping[str, Any]) -> str:
    if part.name is None:
        return ""
    if part.name not in values:
        known = ", ".join(sorted(values))
        raise invalid_argument("to", f"the job has no {part.name!r} (known: {known})")
    value = values[part.name]
    if is_file(value):
        name = value[0] if is_named_bytes(value) else getattr(value, "name", value)
        value = PurePosixPath(str(name).replace("\\", "/")).stem
    if part.name in (*_OF_FILES, *_OF_RUNS) and value == "":
        return ""  # not known yet
    try:
        text = format(value, part.format)
    except Exception as error:  # noqa: BLE001 - a value of any class may raise anything
        raise invalid_argument("to", f"{{{part.name}:{part.format}}} cannot be filled in: {error}") from None
    return _cut(_safe(text), _MOST_OF_VALUE)


def _safe(text: str) -> str:
    return text.encode(errors="replace").decode().translate(UNSAFE)


def _cut(text: str, most: int) -> str:
    """Return a text of a limited number of bytes; for a longer one its beginning and a digest of all of it."""
    content = text.encode()
    if len(content) <= most:
        return text
    beginning = content[: most - _DIGITS - 1].decode(errors="ignore")
    return f"{beginning}~{sha256(content).hexdigest()[:_DIGITS]}"


def _fitted(stem: str, suffix: str) -> str:
    return safe_name(_cut(stem, MOST - len(suffix.encode())) + suffix, suffix)


def _file_values(file: OutputFile, index: int) -> dict[str, Any]:
    path = PurePosixPath(file.filename.replace("\\", "/"))
    return {
        "suffix": suffix_of(file),
        "filename": path.name,
        "stem": path.stem,
        "kind": file.kind,
        "output_id": file.output_id or "",
        "node_id": file.node_id or "",
        "index": index,
    }
