"""Taking secrets out of whatever may be printed."""

import re
from collections.abc import Mapping
from typing import Final

from comfydeploy.models.secret import HIDDEN

# Texts, which `re` compiles and keeps when one is first needed: few processes ever print a request.
_TELLING: Final = r"authorization|cookie|token|secret|password|api[-_]?key|signature|credential"
# A secret in a JSON text ("cd_token": "..."), also in one that is itself text in JSON, closed or not; and one in the
# query of an address (?X-Amz-Signature=...). Last, everything from ComfyUI's "current_inputs" on: prompts and
# addresses, nested, so that a pattern cannot find their end.
_SECRET_IN_TEXT: Final = (
    rf'((\\*)"[^"\\]*(?:{_TELLING})[^"\\]*\2"\s*:\s*\2")(?:(?!\2")(?:\\.|.))*'
    rf'|([?&][^=&\s"]*(?:{_TELLING}|\bsig\b)[^=&\s"]*=)[^&\s"]*'
    r'|((\\*)"current_inputs\5"\s*:\s*).*'
)
_LONGEST: Final = 2_000


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers with what is secret in them hidden."""
    return {
        name: HIDDEN if re.search(_TELLING, name, re.IGNORECASE) else redacted_text(value)
        for name, value in headers.items()
    }


def redacted_text(text: str) -> str:
    """Give the start of a text, at most 2,000 characters, without what looks like a secret."""
    # Cut first: a log line must not cost what the body costs.
    shown = re.sub(
        _SECRET_IN_TEXT,
        lambda found: f"{found[1] or found[3] or found[4]}{HIDDEN}",
        text[:_LONGEST],
        flags=re.IGNORECASE | re.DOTALL,
    )
    return shown if len(text) <= _LONGEST else f"{shown}... ({len(text):,} characters)"
