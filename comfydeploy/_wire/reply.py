"""A response as plain data, and the error that an unexpected one is."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from comfydeploy._wire.codec import read
from comfydeploy._wire.redaction import redacted_headers, redacted_text
from comfydeploy.errors import HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.secret import Secret

_EXCERPT: Final = 300
_UNPROCESSABLE: Final = 422


def media_type(content_type: str) -> str:
    """Return the media type of a content type, in lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower()


@frozen
class Reply:
    """A response. Header names are in lower case, ``content`` is the body after decompression.

    For a stream ``content`` is empty and ``source`` is the open response with its client.
    """

    status_code: int
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=lambda headers: repr(redacted_headers(headers)))
    content: bytes = field(
        default=b"", repr=lambda content: repr(redacted_text(content[:8_000].decode(errors="replace")))
    )
    source: Any = field(default=None, repr=False, eq=False)

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return media_type(self.headers.get("content-type", ""))

    @property
    def body(self) -> str | bytes:
        """The content as text, or as bytes where it is not UTF-8."""
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return self.content

    @property
    def is_good(self) -> bool:
        """Whether the status is a 2XX."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the class of status codes

    def json(self) -> Any:
        """Read the body as JSON; raise ``SDKValidationError`` where it is not JSON."""
        from comfydeploy._wire.json_decoding import parsed  # loads msgspec, which a process may never need

        try:
            return parsed(self.content)
        except (ValueError, RecursionError) as error:
            raise SDKValidationError(
                f"The server's answer ({self.status_code}) is not JSON: {error}", (), self.body
            ) from None

    def without(self, secret: Secret) -> "Reply":
        """Return the same response without a secret that the server sent back."""
        return evolve(
            self,
            headers={name: secret.removed_from(value) for name, value in self.headers.items()},
            content=secret.removed_from(self.content.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            ),
        )


def unexpected(reply: Reply, reason: str, hint: str | None = None) -> SDKError:
    """Return the error of a response of another kind than expected."""
    error = SDKError("", reply.status_code, reply.content_type, reply.body, reply.headers, hint)
    detail = (error.detail or "").strip()
    shown = f": {detail[:_EXCERPT]}{'...' if len(detail) > _EXCERPT else ''}" if detail else ""
    return evolve(error, message=f"{reason} (status {reply.status_code}){shown}")


def error_response(reply: Reply, hint: str | None = None) -> HTTPValidationError | SDKError:
    """Return the error of a response whose status is not a 2XX."""
    if reply.status_code == _UNPROCESSABLE:
        from comfydeploy.models.validation import ValidationError

        try:
            detail = read(reply.json()["detail"], list[ValidationError], "detail")
        except (SDKValidationError, LookupError, TypeError):
            pass
        else:
            return HTTPValidationError(detail, reply.status_code, reply.body, reply.headers, hint=hint)
    if 300 <= reply.status_code < 400:  # noqa: PLR2004 - the class of status codes
        return unexpected(reply, "The server sent a redirect, which is never followed with the token", hint)
    return unexpected(reply, "The server answered with an error", hint)
