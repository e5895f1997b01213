"""A response as plain data, and the error for an unexpected one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from comfydeploy._wire.codec import read
from comfydeploy._wire.redaction import redacted_headers, redacted_text, without_secret, without_secrets
from comfydeploy.errors import HTTPValidationError, SDKError, SDKValidationError
from comfydeploy.models.secret import NOTHING_SECRET, Secret

if TYPE_CHECKING:
    from comfydeploy.models.validation import ValidationError

_EXCERPT: Final = 300
_NOT_FOUND: Final = 404
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
        from comfydeploy._wire.json_decoding import parsed  # loads json, which httpx loads for the first call anyway

        try:
            return parsed(self.content)
        except (ValueError, RecursionError) as error:
            raise SDKValidationError(
                f"The server's response ({self.status_code}) is not JSON: {error}", (), self.body
            ) from None

    def without(self, secret: Secret) -> "Reply":
        """Return the same response without a secret that the server sent back."""
        return evolve(self, headers=without_secret(self.headers, secret), content=without_secret(self.content, secret))


def unexpected(reply: Reply, reason: str, hint: str | None = None) -> SDKError:
    """Return the error for an unexpected response."""
    error = SDKError("", reply.status_code, reply.content_type, reply.body, reply.headers, hint)
    detail = redacted_text(error.detail or "").strip()
    shown = f": {detail[:_EXCERPT]}{'...' if len(detail) > _EXCERPT else ''}" if detail else ""
    return evolve(error, message=f"{reason} (status {reply.status_code}){shown}")


def error_response(
    reply: Reply, hint: str | None = None, *, token: Secret = NOTHING_SECRET, form: str | None = None
) -> HTTPValidationError | SDKError:
    """Return the error for a response whose status is not a 2XX.

    ``token`` is removed from it. ``form`` is the name of the form of the request: of several forms the server
    names the fields of each.
    """
    if reply.status_code == _UNPROCESSABLE:
        from comfydeploy.models.validation import ValidationError

        try:
            detail = read(reply.json()["detail"], list[ValidationError], "")
        except (SDKValidationError, LookupError, TypeError):
            pass
        else:
            detail = without_secrets(_about(form, detail))  # it may quote inputs, and the address of a webhook
            hint = hint or _id_hint(detail)
            return HTTPValidationError(detail, reply.status_code, reply.body, reply.headers, hint=hint)
    reply = reply.without(token)
    if 300 <= reply.status_code < 400:  # noqa: PLR2004 - the class of status codes
        return unexpected(reply, "The server sent a redirect, which is never followed with the token", hint)
    return unexpected(reply, "The server answered with an error", hint)


def has_no_route(reply: Reply) -> bool:
    """Check whether a response says that the route is unknown, and not that a run or the like is."""
    error = SDKError("", reply.status_code, reply.content_type, reply.body)
    is_general = reply.content_type != "application/json" or error.detail in (None, "Not Found")
    return is_general and reply.status_code == _NOT_FOUND


def _id_hint(detail: "list[ValidationError]") -> str | None:
    """Return the hint for a name in place of an id."""
    if any(issue.type.startswith("uuid") and issue.loc[-1:] == ["deployment_id"] for issue in detail):
        return "deployment_id is the id of a deployment (a UUID), not its name: deployments_list returns both."
    return None


def _about(form: str | None, detail: "list[ValidationError]") -> "list[ValidationError]":
    """Return the problems without those of other forms, where the server names the form of each."""
    named = [str(issue.loc[1]) if len(issue.loc) > 1 and issue.loc[0] == "body" else "" for issue in detail]
    if form not in named:
        return detail
    return [issue for issue, name in zip(detail, named, strict=True) if name == form or not name.endswith("Request")]
