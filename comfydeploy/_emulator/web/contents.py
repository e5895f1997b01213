"""The content of a request body, read in pieces; a large one is not kept."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MOST_KEPT: Final = 1024 * 1024
_MOST_FIELDS: Final = 1000
_PLACE: Final = b"content-disposition"


@dataclass(frozen=True)
class ReceivedFile:
    """A file in a form: its name, its declared type and its size in bytes; its content is not kept."""

    name: str
    content_type: str
    size: int


class Contents:
    """Collects the body of a request; of one over ``MOST_KEPT`` bytes that is no form, only the size is kept."""

    def __init__(self, content_type: str) -> None:
        media_type, options = parse_options_header(content_type)
        self.size = 0
        self._is_json: Final = media_type in (b"", b"application/json") or media_type.endswith(b"+json")
        self._kept: Final = bytearray()
        self._form: Final = _Form(options[b"boundary"]) if options.get(b"boundary") else None

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        self.size += len(chunk)
        if self._form:
            self._form.add(chunk)
        elif self.size <= MOST_KEPT:
            self._kept.extend(chunk)
        else:
            self._kept.clear()

    @property
    def kept(self) -> int:
        """The bytes that are kept."""
        return self._form.kept if self._form else len(self._kept)

    def decoded(self) -> Any:
        """Return JSON, a form's fields or text; ``None`` for an empty body, or one that was not kept."""
        if self._form:
            return self._form.fields
        if not self._kept:
            return None
        if self._is_json:
            try:
                return from_json(self._kept)
            except ValueError:
                pass
        return self._kept.decode(errors="replace")


class _Form:
    """The fields of a multipart form: text, or a ``ReceivedFile``; reading ends with ``_MOST_FIELDS``."""

    def __init__(self, boundary: bytes) -> None:
        self.kept = 0
        self.fields: Final[dict[str, str | ReceivedFile]] = {}
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._text = bytearray()
        self._size = 0
        self._parser: MultipartParser | None = None
        self._boundary: bytes | None = boundary

    def add(self, chunk: bytes) -> None:
        try:
            if self._boundary:
                self._parser, self._boundary = self._made(self._boundary), None
            if self._parser:
                self._parser.write(chunk)
        except FormParserError:
            # The application answers with an error; the fields that were read before are kept.
            self._parser = self._boundary = None

    def _made(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )

    def _begin(self) -> None:
        self._headers = {}
        self._text.clear()
        self._size = 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self.kept + end - start <= MOST_KEPT and b"filename=" not in self._headers.get(_PLACE, b""):
            self._text += data[start:end]
            self.kept += end - start

    def _end(self) -> None:
        _, place = parse_options_header(self._headers.get(_PLACE, b""))
        name = place.get(b"name", b"").decode(errors="replace")
        if b"filename" in place:
            filename = place[b"filename"].decode(errors="replace")
            kind = self._headers.get(b"content-type", b"").decode("latin-1")
            self.fields[name] = ReceivedFile(filename, kind, self._size)
        else:
            self.fields[name] = self._text.decode(errors="replace")
        if len(self.fields) == _MOST_FIELDS:
            self._parser = None
