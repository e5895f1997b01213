"""The JSON decoder of the extra ``comfydeploy[speed]``: msgspec's, which raises for what only Python's accepts."""

from collections.abc import Callable
from typing import Any

decode: Callable[[Any], Any] | None = None
try:
    from msgspec.json import Decoder
except ImportError:
    pass
else:
    decode = Decoder().decode
