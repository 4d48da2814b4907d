"""Network addresses: those that share one limit."""

from __future__ import annotations

import ipaddress


def address_group(host: str) -> str:
    """The group that shares one limit: an address, of IPv6 the 64 bits that a network gives out.

    Example:
        >>> address_group("192.168.0.7"), address_group("2001:db8::1:2"), address_group("::ffff:10.0.0.1")
        ('192.168.0.7', '2001:db8::/64', '10.0.0.1')
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
