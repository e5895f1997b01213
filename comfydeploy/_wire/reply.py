"""An answer of the server, and what it means when it is not the one that was asked for."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from comfydeploy._wire.codec import read
from comfydeploy._wire.redact import redacted_headers, redacted_text
from comfydeploy.errors import HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.secret import Secret

_EXCERPT: Final = 300
_UNPROCESSABLE: Final = 422


def media_type(content_type: str) -> str:
    """Give the media type of a content type, in lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower()


@frozen
class Reply:
    """What came back: header names are in lower case, ``content`` is the body without compression.

    For a stream ``content`` is empty and ``source`` is the open answer with its client.
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
        """The content as text, or as bytes where it is no UTF-8."""
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return self.content

    @property
    def is_good(self) -> bool:
        """Whether the status says that it worked."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the class of status codes

    def json(self) -> Any:
        """Read the body as JSON; ``SDKValidationError`` where it is none."""
        from comfydeploy._wire.parsing import parsed  # loads msgspec, which a process may never need

        try:
            return parsed(self.content)
        except (ValueError, RecursionError) as error:
            raise SDKValidationError(
                f"The server's answer ({self.status_code}) is not JSON: {error}", (), self.body
            ) from None

    def without(self, secret: Secret) -> "Reply":
        """Give the same answer without a secret that the server sent back."""
        return evolve(
            self,
            headers={name: secret.removed_from(value) for name, value in self.headers.items()},
            content=secret.removed_from(self.content.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            ),
        )


def unexpected(reply: Reply, reason: str, hint: str | None = None) -> SDKError:
    """Give the error of an answer that is not the one asked for."""
    error = SDKError("", reply.status_code, reply.content_type, reply.body, reply.headers, hint)
    said = (error.detail or "").strip()
    shown = f": {said[:_EXCERPT]}{'...' if len(said) > _EXCERPT else ''}" if said else ""
    return evolve(error, message=f"{reason} (status {reply.status_code}){shown}")


def refusal(reply: Reply, hint: str | None) -> HTTPValidationError | SDKError:
    """Give the error that an answer with another status than 2XX is."""
    if reply.status_code == _UNPROCESSABLE:
        from comfydeploy.models.validation import ValidationError

        try:
            detail = read(reply.json()["detail"], list[ValidationError], "detail")
        except (SDKValidationError, LookupError, TypeError):
            pass
        else:
            return HTTPValidationError(detail, reply.status_code, reply.body, reply.headers)
    if 300 <= reply.status_code < 400:  # noqa: PLR2004 - the class of status codes
        return unexpected(reply, "The server sent a redirect, which is never followed with the token")
    return unexpected(reply, "The server answered with an error", hint if reply.status_code >= 500 else None)  # noqa: PLR2004
