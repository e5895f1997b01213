"""Removing secrets, and the signed part of addresses, from all displays."""

import re
from typing import Final

from comfydeploy._wire.redaction import without_secrets
from comfydeploy.models.secret import HIDDEN

_QUERY: Final = r"(\b[a-z][a-z0-9+.-]*://[^\s\"'<>?#\\]+)[?#][^\s\"'<>\\]*"
_USER: Final = r"(\b[a-z][a-z0-9+.-]*://)[^\s\"'<>/?#@]+@"
# The tokens of this package, which are also hidden in addresses that are shown whole.
_PROOF: Final = r"([?&](?:cd_token|webhook_token)=)[^&\s\"'<>\\]*"
_LONGEST: Final = 100_000


def shown_text(text: str, *, addresses: bool = False) -> str:
    """Return the beginning of a text, up to 100,000 characters, as ``without_private_parts`` does."""
    return without_private_parts(text[:_LONGEST], addresses=addresses)


def without_private_parts(text: str, *, addresses: bool = False) -> str:
    """Return a text without secrets: addresses lose user, query and fragment; with ``addresses`` only tokens."""
    text = re.sub(_USER, rf"\1{HIDDEN}@", text, flags=re.IGNORECASE)
    if addresses:
        return re.sub(_PROOF, rf"\1{HIDDEN}", text, flags=re.IGNORECASE)
    return without_secrets(re.sub(_QUERY, r"\1", text, flags=re.IGNORECASE))


def is_secret(name: str, value: str) -> bool:
    """Check whether a value is a secret, by its name."""
    return without_secrets({name: value})[name] == HIDDEN
