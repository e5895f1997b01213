"""Pictures in memory or on this machine, embedded in a page.

A notebook's server drops output of more than 3 MB in three seconds, so a card has a budget, and a large picture is
reduced if Pillow is installed.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from comfydeploy._display.card import Picture

BUDGET: Final = 2_000_000
"""The most bytes of all pictures of a card, before encoding. Pictures beyond it are only named."""
MOST: Final = 12
"""The number of pictures that are shown of a longer list."""

_SMALL: Final = 200_000  # bytes that are shown as they are
_SIDE: Final = 512  # pixels of a picture that was made smaller
_READ: Final = 64_000_000  # a larger file is not read
_IMAGE: Final = re.compile(r"image/[a-z0-9.+-]+")


def picture(name: str, content: bytes, media_type: str) -> Picture | None:
    """Return the picture of these bytes, or ``None`` if they are not a picture, or too many."""
    kind = media_type.partition(";")[0].strip().lower()
    if not content or not _IMAGE.fullmatch(kind):
        return None
    if len(content) > _SMALL:
        kind, content = _smaller(content) or (kind, content)
    return Picture(name, f"data:{kind};base64,{b64encode(content).decode()}") if len(content) <= BUDGET else None


def saved_pictures(paths: Iterable[Path], most: int = MOST, budget: int = BUDGET) -> tuple[Picture, ...]:
    """Return the first pictures among saved files; unreadable ones are left out."""
    found: list[Picture] = []
    left = budget * 4 // 3  # as base64
    for path in paths:
        if len(found) == most:
            break
        with suppress(OSError):
            state = path.stat()
            shown = _read(path, state.st_size, state.st_mtime_ns)
            if shown is not None and len(shown.source) <= left:
                left -= len(shown.source)
                found.append(shown)
    return tuple(found)


@lru_cache(maxsize=2 * MOST)  # because a live display shows the same ones again and again
def _read(path: Path, size: int, _: int) -> Picture | None:
    kind = guess_type(path.name)[0] or ""
    is_shown = kind.startswith("image/") and size <= _READ
    return picture(path.name, path.read_bytes(), kind) if is_shown else None


def _smaller(content: bytes) -> tuple[str, bytes] | None:
    """Return a picture in less pixels, or ``None`` where Pillow is missing or cannot read it."""
    try:
        image: Any = import_module("PIL.Image").open(BytesIO(content))  # by name: the client needs no extra
        image.thumbnail((_SIDE, _SIDE))
        made = BytesIO()
        image.save(made, "WEBP", quality=80)
    except Exception:  # noqa: BLE001 - it is shown as it is, or not at all
        return None
    return "image/webp", made.getvalue()
