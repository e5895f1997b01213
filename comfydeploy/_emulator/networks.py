"""Networks that the server may send requests to: loopback and public ones, and those that its options allow."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE: Final = "private"
# Addresses of IPv6 that end in one of IPv4, which a router or the system translates to it.
_TRANSLATED: Final = [ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")]
_FOR_LOCAL_USE: Final = ipaddress.IPv6Network("64:ff9b:1::/48")


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
        plain = _translated(address)
        if plain.is_loopback or plain.is_unspecified or _is_public(plain) or self._allows_private:
            return
        if not any(plain in network for network in self._allowed if network.version == plain.version):
            raise RefusedAddressError(
                f"{plain} is in a private network; allow it with --allow-network {plain}/{plain.max_prefixlen}"
            )


def _translated(address: Address) -> Address:
    """Return the address of IPv4 that one of IPv6 stands for, or else the address itself."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback or address.is_unspecified:
        return address
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    is_local = isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _FOR_LOCAL_USE)
    return address.is_global and not address.is_multicast and not is_local
