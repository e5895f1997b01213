"""The names under which a server may be addressed, and the origins of the pages that may use it."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

ANY: Final = "*"
_LOCAL: Final = frozenset({"localhost", "host.docker.internal"})


def host_name(host: str) -> str | None:
    """Return the name in a ``Host`` header, in lower case, or ``None`` if the header is invalid."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return name if parts.netloc == host and "@" not in host and not parts.path else None


def is_loopback(name: str) -> bool:
    """Return whether a name stands for this computer."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class AllowedHosts:
    """The allowed values of the ``Host`` header, against DNS rebinding.

    A page of another site can make its own name stand for this computer, and only a name: so addresses are allowed,
    names of this computer, and those that the options allow; ``"*"`` allows all.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: Final = {name.lower() for name in names}

    def allows(self, host: str) -> bool:
        """Return whether the value of a ``Host`` header is allowed."""
        if ANY in self._names:
            return True
        name = host_name(host)
        return name is not None and (name in self._names | _LOCAL or is_loopback(name) or _is_address(name))


def origin_pattern(origins: Iterable[str]) -> str:
    """Return the regular expression of the allowed origins: pages of this computer, and the given origins."""
    given = list(origins)
    if ANY in given:
        return ".*"
    local = r"https?://(localhost|[a-z0-9.-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"
    return "|".join([local, *(re.escape(origin.rstrip("/")) for origin in given)])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
