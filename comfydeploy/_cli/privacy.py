"""Removing the key, tokens, webhooks, and the signed part of addresses from all output."""

import re
from typing import Final

from attrs import field, frozen

from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy._wire.redaction import without_secrets
from comfydeploy.models.secret import HIDDEN, NOTHING_SECRET, Secret

_QUERY: Final = r"(\b[a-z][a-z+]*://[^\s\"'<>?#\\]+)[?#][^\s\"'<>\\]*"
_USER: Final = r"(\b[a-z][a-z+]*://)[^\s\"'<>/?#@]+@"
# The values of these parameters are also hidden in addresses that are shown whole.
_PROOF: Final = r"([?&](?:cd_token|webhook_token)=)[^&\s\"'<>\\]*"


@frozen
class Privacy:
    """Hides secrets in a text. With ``addresses`` the signed part of addresses is shown."""

    addresses: bool = False
    key: Secret = field(default=NOTHING_SECRET, repr=False)

    def shown(self, text: str) -> str:
        """Return a text without secrets."""
        text = re.sub(_USER, rf"\1{HIDDEN}@", self.key.removed_from(text), flags=re.IGNORECASE)
        if self.addresses:
            return re.sub(_PROOF, rf"\1{HIDDEN}", text, flags=re.IGNORECASE)
        return without_secrets(re.sub(_QUERY, r"\1", text, flags=re.IGNORECASE))

    def shown_json(self, value: object) -> object:
        """Return JSON without secrets in its texts."""
        if isinstance(value, str):
            return self.shown(value)
        if is_object(value):
            return {name: self.shown_json(item) for name, item in value.items()}
        if is_array(value):
            return [self.shown_json(item) for item in value]
        return value
