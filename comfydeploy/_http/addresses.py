"""Addresses in the form of the library that sends them."""

from functools import lru_cache
from importlib import import_module
from typing import Any


def address(client: object, text: str) -> Any:
    """Return an address as an object of the client's library, or the text for a client of another library.

    It is parsed once: a run is polled many times, and parsing takes as long as a response.
    """
    kind: Any = type(client)  # to mypy a class is not hashable
    return _parsed(kind, text)


@lru_cache(maxsize=128)
def _parsed(kind: Any, text: str) -> Any:
    library = library_of(kind)
    return text if library is None else library.URL(text)


def library_of(kind: Any) -> Any:
    """Return the library of a class of clients or transports, httpx or httpx2, or ``None``."""
    names = (base.__module__.partition(".")[0] for base in kind.__mro__)
    found = next((name for name in names if name in {"httpx", "httpx2"}), None)
    return found and import_module(found)
