"""Removing the key, tokens, webhooks, and the signed part of addresses from all output."""

from attrs import field, frozen

from comfydeploy._display.privacy import without_private_parts
from comfydeploy._wire.json_types import is_array, is_object
from comfydeploy.models.secret import NOTHING_SECRET, Secret


@frozen
class Privacy:
    """Hides secrets in a text. With ``addresses`` the signed part of addresses is shown."""

    addresses: bool = False
    key: Secret = field(default=NOTHING_SECRET, repr=False)

    def shown(self, text: str) -> str:
        """Return a text without secrets."""
        return without_private_parts(self.key.removed_from(text), addresses=self.addresses)

    def shown_json(self, value: object) -> object:
        """Return JSON without secrets in its texts."""
        if isinstance(value, str):
            return self.shown(value)
        if is_object(value):
            return {name: self.shown_json(item) for name, item in value.items()}
        if is_array(value):
            return [self.shown_json(item) for item in value]
        return value
