"""Networks that the server may send requests to: loopback and public ones, and those that its options allow."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE: Final = "private"


class RefusedAddressError(Exception):
    """The address is in a network that the server must not reach."""


class Networks:
    """The networks that the server may send requests to.

    Clients choose the addresses of webhooks and inputs, so that others in a private network are refused: a client
    must not reach them through this server. ``"private"`` allows all of them.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        names = list(allowed)
        self._allows_private: Final = PRIVATE in names
        try:
            self._allowed: Final = [ipaddress.ip_network(name) for name in names if name != PRIVATE]
        except ValueError as error:
            message = f"allowed_networks must be networks such as 172.16.0.0/12, or {PRIVATE!r}: {error}"
            raise ValueError(message) from None

    async def resolve(self, host: str, port: int) -> str:
        """Return the address to connect to; raise ``RefusedAddressError`` if one of the host is refused."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            self.check(address)
        return addresses[0]

    async def check_host(self, host: str, port: int) -> None:
        """Raise ``RefusedAddressError`` if an address of the host is refused; a name is not resolved without need."""
        if not self._allows_private:
            await self.resolve(host, port)

    def check(self, text: str) -> None:
        """Raise ``RefusedAddressError`` unless requests may be sent to this address."""
        address = ipaddress.ip_address(text.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_loopback or plain.is_unspecified or plain.is_global or self._allows_private:
            return
        if not any(plain in network for network in self._allowed if network.version == plain.version):
            raise RefusedAddressError(
                f"{plain} is in a private network; allow it with --allow-network {plain}/{plain.max_prefixlen}"
            )
