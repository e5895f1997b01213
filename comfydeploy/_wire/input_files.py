"""Uploading the files among the inputs of a run, once for each content, and replacing them by their addresses."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.fate import with_fate
from comfydeploy._wire.file_values import is_file, is_file_list, is_named_bytes
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.operation import Operation
from comfydeploy._wire.timeline import Actions, Timeline
from comfydeploy._wire.upload import Upload, Window, checked_upload
from comfydeploy.errors import Error, Problem, SDKValidationError
from comfydeploy.models.file_upload import FileUploadResponse
from comfydeploy.result import Failure, Result, Success

Uploads: TypeAlias = Operation[Mapping[str, Any], FileUploadResponse]

_CHUNK: Final = 1_048_576


@frozen
class _InputFile:
    path: str
    upload: Upload
    arguments: Mapping[str, Any] = field(repr=False)


def uploading(timeline: Timeline, operation: Uploads, inputs: object) -> Actions[Result[dict[str, Any], Error]]:
    """Upload the files among inputs and return the inputs with the addresses in their place."""
    if not is_object(inputs):
        raise invalid_argument("inputs", f"expected a mapping, got {type(inputs).__name__}")
    files = _files(inputs)
    sizes = [file.upload.size for file in files]
    sent: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for file in files:
        content = file.path
        if sizes.count(file.upload.size) > 1:  # the only file of its size has no duplicate, so it need not be read
            digest = yield from timeline.compute(_digesting(file))
            if not isinstance(digest, Success):
                return digest
            content = digest.unwrap()
        if content not in sent:
            result = yield from timeline.send(operation, file.arguments, retries=True)
            if not isinstance(result, Success):
                error = result.failure()
                return Failure(with_fate(error, error.fate, f"It is the upload of the file at {file.path}."))
            sent[content] = result.unwrap().file_url
        addresses[file.path] = sent[content]
    return Success({name: _replaced(f"$.inputs.{name}", value, addresses) for name, value in inputs.items()})


def with_uploads(
    timeline: Timeline, operation: Uploads, wire: dict[str, Any]
) -> Actions[Result[dict[str, Any], Error]]:
    """Upload the files among the inputs of a request and return the request with their addresses.

    A failure has the fate of the request, which was not sent.
    """
    if wire.get("inputs") is None:
        return Success(wire)
    result = yield from uploading(timeline, operation, wire["inputs"])
    if not isinstance(result, Success):
        return Failure(with_fate(result.failure(), "not_sent"))
    return Success({**wire, "inputs": result.unwrap()})


def _files(inputs: Mapping[str, Any]) -> list[_InputFile]:
    """Return the files with their paths; raise one ``SDKValidationError`` for all files that cannot be uploaded."""
    files: list[_InputFile] = []
    problems: list[Problem] = []
    for path, value in _places(inputs):
        try:
            files.append(_checked(path, value))
        except SDKValidationError as error:
            problems += [Problem(path, problem.reason) for problem in error.problems]
    if problems:
        raise SDKValidationError(f"inputs: {'; '.join(f'{one.path}: {one.reason}' for one in problems)}", (*problems,))
    return files


def _places(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in inputs.items():
        if is_file(value):
            yield f"$.inputs.{name}", value
        elif is_file_list(value):
            for index, part in enumerate(value):
                if not isinstance(part, str):
                    yield f"$.inputs.{name}[{index}]", part


def _checked(path: str, value: Any) -> _InputFile:
    if not is_file(value):
        raise invalid_argument(path, f"expected a file or an address among files, got {type(value).__name__}")
    name, file = value if is_named_bytes(value) else (None, value)
    upload = checked_upload(file, name, None)
    return _InputFile(path, upload, {"file": file, "name": name, "progress": None})


def _digesting(file: _InputFile) -> Callable[[], Result[str, Error]]:
    def digest() -> Result[str, Error]:
        hashed, window = sha256(), Window(file.upload)
        try:
            with closing(window):
                window.open()
                while data := window.read(_CHUNK):
                    hashed.update(data)
        except Exception as error:  # noqa: BLE001 - a file of any class may raise anything
            reason = f"cannot be read: {error}"
            return Failure(SDKValidationError(f"inputs: {file.path}: {reason}", (Problem(file.path, reason),)))
        return Success(hashed.hexdigest())

    return digest


def _replaced(path: str, value: Any, addresses: Mapping[str, str]) -> Any:
    if path in addresses:
        return addresses[path]
    if not is_file_list(value):
        return value
    parts = [addresses.get(f"{path}[{index}]", part) for index, part in enumerate(value)]
    return json.dumps(parts)  # an image batch takes a JSON list as text
