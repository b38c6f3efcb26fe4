"""Which network addresses are public: a server that fetches for others must not reach what only it can reach."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_SPECIAL_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # Oracle's metadata
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "168.63.129.16/32",  # Azure's metadata
    )
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry, read by hand: `is_global` of Python 3.11 is older."""
_GLOBAL_V6 = ip_network("2000::/3")
"""All that IANA has given out as global unicast; everything else is special or unassigned."""
_SPECIAL_V6 = tuple(
    ip_network(block) for block in ("2001::/23", "2001:db8::/32", "3fff::/20", "2620:4f:8000::/48")
)
_MAPPED = ip_network("::ffff:0:0/96")
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")


def is_public(text: str) -> bool:
    """Whether an address, as `getaddrinfo` gives it, is one that everybody on the internet could reach.

    IPv6 that carries an IPv4 address (mapped, NAT64, 6to4) is as public as that one; Teredo never is.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is None:
            return address in _GLOBAL_V6 and not any(address in block for block in _SPECIAL_V6)
        address = inner
    return not any(address in block for block in _SPECIAL_V4)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    return None
