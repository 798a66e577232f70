"""Keeps feeds, whose addresses people choose freely, from reaching into private networks."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from scraper.fetch import FetchError


async def refuse(url: str) -> None:
    """Raises FetchError for an address that leads, or whose name leads, to no public host."""
    parts = urlsplit(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 443)
    except OSError:
        return  # the download will say it in its own words
    for *_, address in found:
        _refuse(url, ip_address(str(address[0]).partition("%")[0]))


def refuse_response(url: str, came_from: IPv4Address | IPv6Address | None) -> None:
    """The same for the host that did answer: between look-up and request a name may have come to lead elsewhere."""
    if came_from is not None:
        _refuse(url, came_from)


def _refuse(url: str, address: IPv4Address | IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None) or address
    if not mapped.is_global or mapped.is_multicast:
        said = (
            f"{url} leads to the private address {address}, which is not asked (PQWATCH_ALLOW_PRIVATE_HOSTS)"
        )
        raise FetchError("private-address", url, said, again=False)
