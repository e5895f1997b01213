"""Values of inputs that are files to upload. A text is never a file."""

import os

from comfydeploy._wire.json_types import is_array


def is_file(value: object) -> bool:
    """Check whether a value is a path, an open file or a name with bytes."""
    if isinstance(value, os.PathLike) or is_named_bytes(value):
        return True
    try:
        return callable(getattr(value, "read", None))
    except Exception:  # noqa: BLE001 - an object of any class may raise anything
        return False


def is_file_list(value: object) -> bool:
    """Check whether a value is a list with files in it."""
    return is_array(value) and any(map(is_file, value))


def is_named_bytes(value: object) -> bool:
    """Check whether a value is a tuple of a file name and bytes. A list is not: it may be a list of addresses."""
    return is_array(value) and not isinstance(value, list) and [*map(type, value)] == [str, bytes]
