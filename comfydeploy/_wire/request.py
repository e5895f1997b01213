"""A request as plain data, without the token."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from comfydeploy._wire.arguments import invalid_argument
from comfydeploy._wire.json_types import is_object
from comfydeploy._wire.redaction import redacted_headers, redacted_text, without_secret
from comfydeploy.errors import InvalidRequestError
from comfydeploy.models.secret import Secret

if TYPE_CHECKING:
    from comfydeploy._wire.upload import Upload

_UNRESERVED: Final = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
# Strings, which `re` compiles and caches when first needed.
_HEADER_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER_VALUE: Final = r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?"


def _shown_body(content: bytes | None) -> str:
    return "None" if content is None else redacted_text(content[:8_000].decode("utf-8", "replace"))


@frozen
class Request:
    """A request to send. ``url`` is the path below the server until the call adds the server's address.

    ``upload`` is a file that is sent as a form in place of ``content``. Header names are in lower case. The token is
    not among them: it is added when the request is sent. ``route`` is the path below the server with the names of its
    parameters, as ``/run/{run_id}``; ``None`` where it has none.
    """

    method: str
    url: str = field(repr=lambda url: repr(redacted_text(url)))
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=lambda headers: repr(redacted_headers(headers)))
    content: bytes | None = field(default=None, repr=_shown_body)
    upload: "Upload | None" = None
    route: str | None = field(default=None, eq=False, repr=False)

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        """Return the same request with these headers, which replace those of the same name."""
        return evolve(self, headers={**self.headers, **{name.lower(): value for name, value in headers.items()}})

    def without(self, secret: Secret) -> "Request":
        """Return the same request without a secret, to show it."""
        return evolve(
            self,
            url=without_secret(self.url, secret),
            headers=without_secret(self.headers, secret),
            content=without_secret(self.content, secret),
        )


def path_segment(value: object, name: str) -> str:
    """Return a value as one segment of a path, quoted so that it cannot change the path.

    Raises ``SDKValidationError`` for anything but a non-empty string.
    """
    if not isinstance(value, str):
        raise invalid_argument(name, f"expected a string, got {type(value).__name__}", value)
    if value in ("", ".", ".."):
        raise invalid_argument(name, f"expected an id, got {value!r}", value)
    if not value.strip(_UNRESERVED):  # an id has no other characters
        return value
    from urllib.parse import quote  # not at the top: httpx loads it for the first call

    return quote(value, safe="", errors="replace")


def query(parameters: Mapping[str, str | None]) -> str:
    """Return the query of an address, or an empty string without parameters."""
    given = {name: value for name, value in parameters.items() if value is not None}
    if not given:
        return ""
    from urllib.parse import urlencode

    return f"?{urlencode(given)}"


def checked_server(url: object, name: str) -> str:
    """Return a server's address without a trailing slash; raise ``InvalidRequestError`` for a wrong one."""
    if not isinstance(url, str):
        raise InvalidRequestError(f"{name}: expected an address, got {type(url).__name__}")
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise InvalidRequestError(f"{name}: not an address") from None
    if parts.username or parts.password:
        # Not shown: it may hold a password, and httpx would send it in place of the token.
        raise InvalidRequestError(f"{name}: an address must not contain a user name or password")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise InvalidRequestError(f"{name}: expected an address such as https://host/api, got {url!r}")
    if "?" in url or "#" in url or not url.isprintable() or " " in url:
        raise InvalidRequestError(f"{name}: an address must not contain a query, a fragment or whitespace")
    return url.rstrip("/")


def checked_headers(headers: object) -> dict[str, str]:
    """Return the headers with names in lower case; ``InvalidRequestError`` names one that cannot be sent."""
    if not is_object(headers):
        raise InvalidRequestError(f"headers: expected a mapping, got {type(headers).__name__}")
    checked: dict[str, str] = {}
    names: list[Any] = list(headers)
    for name in names:
        value = headers[name]
        if not isinstance(name, str) or not re.fullmatch(_HEADER_NAME, name):
            raise InvalidRequestError(f"headers: {name!r} is not a header name")
        if not isinstance(value, str) or not re.fullmatch(_HEADER_VALUE, value):
            raise InvalidRequestError(
                f"headers: the value of {name!r} must be one line of ASCII, without whitespace around it"
            )
        checked[name.lower()] = value
    return checked


def authorization(token: object) -> Secret:
    """Return the bearer token; raise ``InvalidRequestError`` for one that cannot be sent, without showing it."""
    if not isinstance(token, str):
        raise InvalidRequestError(f"bearer: expected a string, got {type(token).__name__}")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidRequestError("bearer: expected printable ASCII without whitespace (is it empty?)")
    return Secret(token)
