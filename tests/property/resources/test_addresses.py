"""All addresses and names: one form, and nothing inside that nobody looked at."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.network.address_kind import AddressKind
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.web_address import WebAddress
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern

IPV4 = st.integers(0, 2**32 - 1).map(IPv4Address)
IPV6 = st.integers(0, 2**128 - 1).map(IPv6Address)
ADDRESSES = IPV4 | IPV6 | st.ip_addresses()
LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))
PORTS = st.integers(1, 65_535)


def carriers(inner: IPv4Address) -> list[IPv6Address]:
    """Return the addresses of IPv6 that lead to one of IPv4."""
    number = int(inner)
    return [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (8 << 64) | (number ^ 0xFFFFFFFF)),
        IPv6Address((0x2A00 << 112) | (0x5EFE << 32) | number),
    ]


@given(IPV4 | st.ip_addresses(v=4))
def test_an_address_is_no_better_for_being_carried(inner: IPv4Address) -> None:
    for carrier in carriers(inner):
        assert inner in AddressRules.faces(carrier)
        if not AddressRules.is_public(inner):
            assert not AddressRules.is_public(carrier)


@given(ADDRESSES)
def test_every_address_has_a_kind_and_what_python_refuses_is_refused(address: IPv4Address | IPv6Address) -> None:
    assert AddressRules.kind(address) in AddressKind
    if address.is_private or address.is_multicast or address.is_link_local or address.is_unspecified:
        carried = AddressRules.faces(address)[1:]
        assert not AddressRules.is_public(address) or carried
    refused = AddressRules().refused(address)
    assert (refused is None) is AddressRules.is_public(address)
    assert AddressRules(granted=["0.0.0.0/0", "::/0"]).refused(address) is None


@given(ADDRESSES, PORTS)
def test_an_address_is_written_in_one_way(address: IPv4Address | IPv6Address, port: int) -> None:
    endpoint = Endpoint.parse(str(Endpoint.of_address(address, port)))
    assert Endpoint.parse(str(endpoint)) == endpoint
    assert endpoint.address in (address, getattr(address, "ipv4_mapped", None))
    # By name it is granted to nobody, unless it is everybody's.
    assert EndpointPattern.compile("*").matches(str(endpoint)) is AddressRules.is_public(address)
    assert EndpointPattern.compile(str(endpoint)).matches(str(endpoint))


@given(NAMES, PORTS, st.sampled_from(["", "."]), st.booleans())
def test_a_name_is_written_in_one_way(name: str, port: int, dot: str, is_upper: bool) -> None:
    written = f"{name.upper() if is_upper else name}{dot}"
    endpoint = Endpoint.parse(f"{written}:{port}")
    assert (endpoint.host, endpoint.port, endpoint.address) == (name, port, None)
    assert WebAddress.parse(f"https://{written}:{port}/x").endpoint == endpoint


@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_read_reads_as_itself(host: str, path: str) -> None:
    try:
        address = WebAddress.parse(f"http://{host}/{path}")
    except ValueError:
        return
    assert WebAddress.parse(str(address)) == address
    assert str(address).isascii()
    # Nothing of the path has become the host, and nothing of the host was dropped but its case and its last dot.
    assert "@" not in host.partition("/")[0]
    assert "\\" not in host
