"""Pictures in memory or on this machine, embedded in a page."""

import re
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from comfydeploy._display.card import Picture

LARGEST: Final = 8 * 1024 * 1024
"""A larger picture is only named, because it would stay in the notebook's file."""
MOST: Final = 12
"""The number of pictures that are shown of a longer list."""

_IMAGE: Final = re.compile(r"image/[a-z0-9.+-]+")


def picture(name: str, content: bytes, media_type: str) -> Picture | None:
    """Return the picture of these bytes, or ``None`` if they are not a picture, or too many."""
    kind = media_type.partition(";")[0].strip().lower()
    if not content or len(content) > LARGEST or not _IMAGE.fullmatch(kind):
        return None
    return Picture(name, f"data:{kind};base64,{b64encode(content).decode()}")


def saved_pictures(paths: Iterable[Path], most: int = MOST) -> tuple[Picture, ...]:
    """Return the first pictures among saved files; unreadable ones are left out."""
    found: list[Picture] = []
    for path in paths:
        kind = guess_type(path.name)[0] or ""
        if len(found) == most:
            break
        if not kind.startswith("image/"):
            continue
        with suppress(OSError):
            if path.stat().st_size <= LARGEST and (shown := picture(path.name, path.read_bytes(), kind)):
                found.append(shown)
    return tuple(found)
