"""The door to other people's hosts: which network addresses may be reached, checked on the address connected to.

A name is resolved once and the connection is made to the very address that was checked, so that a name that answers
differently the second time (re-binding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from contextlib import suppress

from alerts.errors import AlertsError

log = logging.getLogger(__name__)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_TUNNELS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96",  # IPv4-compatible
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 of one's own, RFC 8215
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local of old
    )
)
"""Addresses that carry another address inside, or that `ipaddress` calls global though they lead inward."""


_TRIED = 4  # addresses of one host; together they share the time limit


class RefusedHostError(AlertsError):
    """A host that must not be reached: private, loopback, link-local, mapped and the like."""


def is_public(text: str) -> bool:
    """Whether a numeric address is one of the open internet. IPv4-mapped, tunnelled and scoped ones are not."""
    try:
        address: IpAddress = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.scope_id or any(address in network for network in _TUNNELS)
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check_literal(host: str, *, allow_private: bool) -> None:
    """Refuses at once what needs no look-up: numeric addresses and `localhost`. Raises RefusedHostError."""
    if allow_private:
        return
    name = host.strip("[]").rstrip(".").lower()
    numeric = _numeric(name)
    if name == "localhost" or name.endswith(".localhost") or (numeric is not None and not is_public(numeric)):
        raise RefusedHostError(f"{host}: private, loopback and link-local hosts are refused")


def resolve(host: str, port: int, *, allow_private: bool) -> list[tuple[int, str]]:
    """(family, numeric address) of a host that may be connected to; all must be public, or all are refused.

    Raises RefusedHostError, or OSError where the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys((int(family), str(where[0])) for family, _, _, _, where in found))
    private = [address for _, address in addresses if not is_public(address)]
    if private and not allow_private:
        log.warning("refused to connect to %s: it resolves to %s", host, private[0])
        raise RefusedHostError(f"{host} resolves to {private[0]}: private and loopback hosts are refused")
    return addresses


def connect(host: str, port: int, timeout: float, *, allow_private: bool) -> socket.socket:
    """A TCP connection to an address that was checked. Raises RefusedHostError or OSError."""
    error: OSError = OSError(f"{host}: no address")
    addresses = resolve(host, port, allow_private=allow_private)[:_TRIED]
    for family, address in addresses:
        sock = socket.socket(socket.AddressFamily(family), socket.SOCK_STREAM)
        sock.settimeout(timeout / len(addresses))
        try:
            sock.connect((address, port))
            sock.settimeout(timeout)
        except OSError as failed:
            sock.close()
            error = failed
            continue
        return sock
    raise error


def _numeric(name: str) -> str | None:
    """The address that a numeric host means, also in the short and odd spellings that the C library takes (0x7f.1)."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(name))
    return None
