"""Names for the files of a run: safe in every folder and on every system."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy.models.output_file import OutputFile

MOST: Final = 200
"""Bytes of a name; most file systems allow 255."""

_MOST_OF_SUFFIX: Final = 20

UNSAFE: Final = dict.fromkeys((*range(0x20), 0x7F, *map(ord, '/\\:*?"<>|')), "_")
"""The characters that some file systems do not allow in a name, for ``str.translate``."""

_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)


def file_names(run_id: str, files: list[OutputFile], template: object) -> list[str]:
    """Return a name for each file; raise ``SDKValidationError`` for an invalid template."""
    if not isinstance(template, str):
        raise invalid_argument("name", f"expected a template as a string, got {type(template).__name__}", template)
    return [safe_name(_filled(template, run_id, index, file), suffix_of(file)) for index, file in enumerate(files)]


def candidates(name: str) -> Iterator[str]:
    """Yield a name, and then alternatives for a name that is taken."""
    yield name
    path, number = PurePosixPath(name), 2
    while True:
        yield f"{path.stem}-{number}{path.suffix}"
        number += 1


def _filled(template: str, run_id: str, index: int, file: OutputFile) -> str:
    path = PurePosixPath(file.filename.replace("\\", "/"))
    values = {
        "run_id": run_id,
        "index": index,
        "suffix": suffix_of(file),
        "filename": path.name,
        "stem": path.stem,
        "kind": file.kind,
        "output_id": file.output_id or "",
        "node_id": file.node_id or "",
    }
    try:
        return template.format_map(values)
    except Exception as error:  # noqa: BLE001 - a template may access any attribute of a value
        known = ", ".join(values)
        reason = f"cannot be filled in: {type(error).__name__}: {error} (known: {known})"
        raise invalid_argument("name", reason, template) from None


def suffix_of(file: OutputFile) -> str:
    """Return the suffix of a file, with its dot, or nothing where it has none or one that is too long."""
    suffix = PurePosixPath(file.filename).suffix
    return suffix if len(suffix.encode(errors="replace")) <= _MOST_OF_SUFFIX else ""


def safe_name(name: str, suffix: str) -> str:
    """Return a name that every file system takes, with at most ``MOST`` bytes."""
    name, suffix = (text.encode(errors="replace").decode().translate(UNSAFE) for text in (name, suffix))
    if len(name.encode()) > MOST:
        suffix = suffix if name.endswith(suffix) else ""
        stem = name.removesuffix(suffix).encode()[: MOST - len(suffix.encode())]
        name = stem.decode(errors="ignore") + suffix
    name = name.rstrip(". ").lstrip(" ") or "file"  # Windows drops what is stripped here
    if name.startswith(".") or name.partition(".")[0].rstrip().lower() in _RESERVED:
        return f"_{name}"
    return name
