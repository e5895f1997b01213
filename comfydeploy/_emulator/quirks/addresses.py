"""Quirks of addresses: those of outputs are signed and expire."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from comfydeploy._emulator.documents import is_list, is_object

LIFETIME: Final = 3600  # seconds
_FORMAT: Final = "%Y%m%dT%H%M%SZ"


def signed(document: Any, now: datetime) -> Any:
    """Return the document with the address of each file signed at this moment."""
    if is_list(document):
        return [signed(item, now) for item in document]
    if not is_object(document):
        return document
    if "filename" in document and isinstance(url := document.get("url"), str):
        return {
            **document,
            "url": signed_address(url, now),
            **({"is_public": False} if "is_public" in document else {}),
        }
    return {key: signed(value, now) for key, value in document.items()}


def is_valid(path: str, query: Mapping[str, str], now: datetime) -> bool:
    """Return whether the query of an address is a signature of its path that has not expired."""
    date = query.get("X-Amz-Date", "")
    try:
        moment = datetime.strptime(date, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return False
    is_signature = query.get("X-Amz-Signature") == _signature(path, date)
    return is_signature and now < moment + timedelta(seconds=LIFETIME)


def signed_address(url: str, now: datetime) -> str:
    """Return an address that is valid for ``LIFETIME`` from now on."""
    date = now.strftime(_FORMAT)
    signature = _signature(unquote(urlsplit(url).path), date)
    return f"{url}?{urlencode({'X-Amz-Date': date, 'X-Amz-Expires': LIFETIME, 'X-Amz-Signature': signature})}"


def _signature(path: str, date: str) -> str:
    # No secret: it only shows whether an address was changed.
    return sha256(f"{path} {date}".encode()).hexdigest()
