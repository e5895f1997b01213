"""The address of a webhook, with a token that proves who created it."""

import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlencode

from attrs import frozen

from comfydeploy._wire.json_types import is_array
from comfydeploy._wire.request import checked_server
from comfydeploy._wire.transport_errors import response_error
from comfydeploy.errors import Error, InvalidRequestError, Problem, SDKValidationError
from comfydeploy.result import Failure, Result, Success

__all__ = ["WebhookToken", "webhook_url", "webhook_verify"]

REFERENCE: Final = "webhook_reference"
EXPIRES: Final = "webhook_expires"
TOKEN: Final = "webhook_token"  # noqa: S105 - a name; logs hide the value of a parameter with such a name

_ORIGIN: Final = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)
# Characters that frameworks read differently: some end a path or a parameter there, some drop or decode them twice.
_AMBIGUOUS: Final = re.compile(r"[#\\;\s]")
_UNESCAPED: Final = r"[\\;]"
_AMBIGUOUS_IN_PATH: Final = re.compile(r"%(?:[01].|7F|23|25|2F|3B|3F|5C)", re.IGNORECASE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Parameters: TypeAlias = list[tuple[str, str]]


@frozen(kw_only=True)
class WebhookToken:
    """The verified parts of an address: its ``reference``, and when it ``expires`` (aware, in UTC)."""

    reference: str | None = None
    expires: datetime | None = None


def webhook_url(
    address: str,
    secret: str | bytes | Sequence[str | bytes],
    *,
    reference: str | None = None,
    expires: datetime | float | None = None,
) -> Result[str, Error]:
    """Return the address with a token that proves it was created with the secret, for the ``webhook`` of a request.

    Only path and query are signed, because a receiver behind a proxy sees no more: use one secret for each service.
    ``reference`` is yours, such as the id of a job; it is sent in the query, unencrypted. ``expires`` is an
    aware datetime or seconds since 1970, kept in whole seconds. Of several secrets the first signs.
    ``InvalidRequestError`` names an invalid argument, such as an address that web frameworks read in different
    ways (see ``webhook_verify``). A user who may read the run or its log sees the whole address.
    """
    try:
        return Success(_signed(address, _keys(secret)[0], reference, expires))
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _failure(error)


def webhook_verify(
    url: str, secret: str | bytes | Sequence[str | bytes], *, now: datetime | float | None = None
) -> Result[WebhookToken, Error]:
    """Check that ``webhook_url`` created the address of a request, and return its verified parts.

    ``url`` is the whole address or its path and query, as the sender received them: scheme and host are ignored, and
    escapes and the order of the parameters may have changed. Any of several secrets is accepted, so that they can be
    replaced one at a time. ``now`` is the current time, in the form of ``expires``. ``SDKValidationError`` says in
    ``problems`` whether the token is missing, wrong or expired. The token proves who created the address, not the body.

    An address that a web framework could read differently is refused, even with a valid token: with a fragment, a
    semicolon, a backslash, whitespace or a control character, with one of these, a percent sign, a slash or a question
    mark escaped in its path, or with one of the three parameters of ``webhook_url`` given more than once.
    """
    try:
        return Success(_verified(url, _keys(secret), _seconds(datetime.now(UTC) if now is None else now, "now")))
    except Exception as error:  # noqa: BLE001 - a function never raises
        return _failure(error)


def _signed(address: object, key: bytes, reference: object, expires: object) -> str:
    text = _checked(address)
    path, parameters = _split(text)
    if {".", ".."} & set(path.split("/")):
        raise InvalidRequestError("address: a path must not contain . or .., which the sender removes")
    for name, _ in parameters:
        if name in (REFERENCE, EXPIRES, TOKEN):
            raise InvalidRequestError(f"address: it has a {name} already")
    carried: _Parameters = []
    if reference is not None:
        carried.append((REFERENCE, _text(reference, "reference")))
    for name, value in parameters + carried:
        # Flask unescapes some of them in the address that it passes to the receiver.
        if re.search(_UNESCAPED, name + value) or not (name + value).isprintable():
            argument = "reference" if name == REFERENCE else "address: a parameter"
            raise InvalidRequestError(f"{argument}: must not contain a semicolon, a backslash or control characters")
    if expires is not None:
        carried.append((EXPIRES, str(_seconds(expires, "expires"))))
    carried.append((TOKEN, _token(key, path, parameters + carried)))
    return f"{text}{'&' if '?' in text else '?'}{urlencode(carried)}"


def _verified(url: object, keys: list[bytes], now: int) -> WebhookToken:
    text = _text(url, "url")
    if ambiguous := _ambiguous(text):
        raise SDKValidationError(f"The webhook's address: {ambiguous}", (Problem("$.url", ambiguous),))
    path, parameters = _split(text)
    names = [name for name, _ in parameters]
    for name in (TOKEN, REFERENCE, EXPIRES):
        if names.count(name) > 1:
            raise _refusal(name, "given more than once")
    tokens = [value.encode("utf-8", "surrogatepass") for name, value in parameters if name == TOKEN]
    if not tokens:
        raise _refusal(TOKEN, "missing")
    signed = [(name, value) for name, value in parameters if name != TOKEN]
    if not any(hmac.compare_digest(_token(key, path, signed).encode(), tokens[0]) for key in keys):
        raise _refusal(TOKEN, "wrong")
    carried = dict(signed)
    expires = _moment(carried[EXPIRES]) if EXPIRES in carried else None
    if expires and now >= _seconds(expires, EXPIRES):
        raise _refusal(EXPIRES, f"expired at {expires.isoformat()}")
    return WebhookToken(reference=carried.get(REFERENCE), expires=expires)


def _failure(error: Exception) -> Failure[Error]:
    if isinstance(error, MemoryError):
        raise error
    if isinstance(error, SDKValidationError | InvalidRequestError):
        return Failure(error.with_traceback(None))
    return Failure(response_error(error, "not_sent", closed=False))


def _refusal(name: str, reason: str) -> SDKValidationError:
    return SDKValidationError(f"The webhook's address: {name}: {reason}", (Problem(f"$.query.{name}", reason),))


def _keys(secret: Any) -> list[bytes]:
    given: list[Any] = [secret] if isinstance(secret, str | bytes) else list(secret) if is_array(secret) else []
    keys = [one.encode("utf-8", "surrogatepass") if isinstance(one, str) else one for one in given]
    if not keys or not all(isinstance(key, bytes) and key for key in keys):
        raise InvalidRequestError("secret: expected text or bytes, or a list of them, and none empty")
    return keys


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name}: expected a string, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name}: cannot be encoded as UTF-8") from None
    return value


def _checked(address: object) -> str:
    text = _text(address, "address")
    if ambiguous := _ambiguous(text):
        raise InvalidRequestError(f"address: {ambiguous}")
    checked_server(text.partition("?")[0], "address")
    return text


def _ambiguous(url: str) -> str | None:
    """Return the problem of an address that web frameworks read differently, or ``None``."""
    if _AMBIGUOUS.search(url) or not url.isprintable():
        return "must not contain a fragment, a semicolon, a backslash, whitespace or control characters"
    if found := _AMBIGUOUS_IN_PATH.search(url.partition("?")[0]):
        return f"must not contain {found[0]} in its path"
    return None


def _split(url: str) -> tuple[str, _Parameters]:
    # Without urlsplit, for which a path that begins with two slashes is a host.
    path, _, query = _ORIGIN.sub("", url).partition("?")
    parameters = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return unquote(path, errors="surrogateescape") or "/", parameters


def _token(key: bytes, path: str, parameters: _Parameters) -> str:
    # A proxy may reorder the names; the order of the values of one name is kept.
    signed = json.dumps(["comfydeploy webhook", path, sorted(parameters, key=itemgetter(0))])
    return hmac.digest(key, signed.encode(), "sha256").hex()


def _seconds(time: object, name: str) -> int:
    try:
        if isinstance(time, int | float) and not isinstance(time, bool):
            time = datetime.fromtimestamp(time, UTC)
        if isinstance(time, datetime) and time.utcoffset() is not None:
            return (time - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError, OSError):
        pass
    raise InvalidRequestError(f"{name}: expected an aware datetime or seconds since 1970")


def _moment(seconds: str) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        raise _refusal(EXPIRES, "expected seconds since 1970") from None
