"""The proxies that the environment names, read as httpx reads them, so that one that cannot be used is named."""

import os
from importlib.util import find_spec
from ipaddress import ip_address
from urllib.request import getproxies

import httpcore
import httpx

from comfydeploy._http.tls import shared_context
from comfydeploy.errors import InvalidRequestError


def environment_proxies() -> dict[str, httpcore.Proxy | None]:
    """Return the proxies by the pattern of the addresses that they serve; None stands for no proxy."""
    found = getproxies()
    exempt = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    if "*" in exempt:
        return {}
    proxies = {f"{kind}://": _proxy(kind, found[kind]) for kind in ("http", "https", "all") if found.get(kind)}
    return {**proxies, **dict.fromkeys(map(_pattern, exempt))}


def _proxy(kind: str, address: str) -> httpcore.Proxy:
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
            raise ValueError("a SOCKS proxy needs the package socksio: install 'httpx[socks]'")  # noqa: TRY301 - the message for all errors is created below
    except (ValueError, httpx.InvalidURL) as error:
        reason = "" if "@" in address and isinstance(error, httpx.InvalidURL) else f": {error}"  # it quotes a password
        shown = address.rpartition("@")[2]
        raise InvalidRequestError(f"{_variable(kind)}: the proxy {shown!r} cannot be used{reason}") from None
    url = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    context = shared_context() if proxy.url.scheme == "https" else None
    return httpcore.Proxy(url, auth=proxy.raw_auth, headers=proxy.headers.raw, ssl_context=context)


def _pattern(host: str) -> str:
    if "://" in host:
        pattern = host
    elif host.lower() == "localhost":
        pattern = f"all://{host}"
    else:
        try:
            address = ip_address(host.partition("/")[0])
            pattern = f"all://{host}" if address.version == 4 else f"all://[{host}]"  # noqa: PLR2004 - the version of the protocol
        except ValueError:
            pattern = f"all://*{host}"
    try:
        httpx.URL(pattern)
    except httpx.InvalidURL as error:
        raise InvalidRequestError(f"{_variable('no')}: {host!r} is not the name of a host: {error}") from None
    return pattern


def _variable(kind: str) -> str:
    name = f"{kind}_proxy"
    return name if os.environ.get(name) else name.upper()
