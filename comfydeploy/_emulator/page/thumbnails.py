"""Small copies of pictures, so that a list of runs does not load files of hundreds of megabytes."""

import io
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image

SIZES: Final = {"small": 128, "medium": 384, "large": 1024}  # pixels
_KEPT: Final = 512


def thumbnail(path: Path, size: str) -> bytes | None:
    """Return a small PNG of a picture, or ``None`` if the file is none that can be read."""
    try:
        stat = path.stat()
        return _drawn(path, stat.st_mtime_ns, stat.st_size, SIZES[size])
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        # What Pillow raises for files that are broken, or too large to be opened safely.
        return None


@lru_cache(maxsize=_KEPT)
def _drawn(path: Path, _changed: int, _bytes: int, pixels: int) -> bytes:
    with Image.open(path) as picture:
        # JPEG files are decoded at a fraction of their size.
        picture.draft("RGB", (pixels, pixels))
        picture.thumbnail((pixels, pixels))
        png = io.BytesIO()
        picture.convert("RGBA" if picture.mode in {"RGBA", "LA", "P", "PA"} else "RGB").save(png, "PNG")
    return png.getvalue()
