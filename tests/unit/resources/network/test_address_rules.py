from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.address_kind import AddressKind
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint

NAME = Endpoint("a.example", 443)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", AddressKind.PUBLIC),
        ("127.1.2.3", AddressKind.LOOPBACK),
        ("10.255.255.255", AddressKind.PRIVATE),
        ("172.15.255.255", AddressKind.PUBLIC),
        ("172.31.255.255", AddressKind.PRIVATE),
        ("172.32.0.0", AddressKind.PUBLIC),
        ("100.63.255.255", AddressKind.PUBLIC),
        ("100.64.0.0", AddressKind.SHARED),
        ("100.127.255.255", AddressKind.SHARED),
        ("169.254.1.1", AddressKind.LINK_LOCAL),
        ("169.254.169.254", AddressKind.METADATA),
        ("168.63.129.16", AddressKind.METADATA),
        ("168.63.129.17", AddressKind.PUBLIC),
        ("0.0.0.0", AddressKind.UNSPECIFIED),
        ("0.1.2.3", AddressKind.UNSPECIFIED),
        ("203.0.113.9", AddressKind.DOCUMENTATION),
        ("239.1.1.1", AddressKind.MULTICAST),
        ("255.255.255.255", AddressKind.RESERVED),
        ("::", AddressKind.UNSPECIFIED),
        ("::1", AddressKind.LOOPBACK),
        ("::2", AddressKind.RESERVED),
        ("2606:4700::1111", AddressKind.PUBLIC),
        ("2001:4860:4860::8888", AddressKind.PUBLIC),
        ("2001:db8::1", AddressKind.DOCUMENTATION),
        ("2001:20::1", AddressKind.RESERVED),
        ("3fff::1", AddressKind.DOCUMENTATION),
        ("4000::1", AddressKind.RESERVED),
        ("5f00::1", AddressKind.RESERVED),
        ("64:ff9b:1::1", AddressKind.RESERVED),
        ("fc00::1", AddressKind.PRIVATE),
        ("fd00:ec2::254", AddressKind.METADATA),
        ("fe80::1", AddressKind.LINK_LOCAL),
        ("fe80::1%eth0", AddressKind.LINK_LOCAL),
        ("2606:4700::1%eth0", AddressKind.LINK_LOCAL),
        ("ff02::1", AddressKind.MULTICAST),
    ],
)
def test_each_address_has_a_kind(address: str, kind: AddressKind) -> None:
    assert AddressRules.kind(ip_address(address)) is kind


@pytest.mark.parametrize(
    ("address", "carried"),
    [
        ("::ffff:10.0.0.1", ["10.0.0.1"]),
        ("::10.0.0.1", ["::a00:1", "10.0.0.1"]),
        ("2002:a00:1::5", ["2002:a00:1::5", "10.0.0.1"]),
        ("64:ff9b::a00:1", ["64:ff9b::a00:1", "10.0.0.1"]),
        # The server, and the client with its bits turned over.
        ("2001:0:a00:1::f5ff:fffe", ["2001:0:a00:1::f5ff:fffe", "10.0.0.1", "10.0.0.1"]),
        ("2a00::5efe:a00:1", ["2a00::5efe:a00:1", "10.0.0.1"]),
        ("2a00::200:5efe:a00:1", ["2a00::200:5efe:a00:1", "10.0.0.1"]),
        ("::", ["::"]),
        ("::1", ["::1"]),
        ("10.0.0.1", ["10.0.0.1"]),
    ],
)
def test_what_an_address_carries_is_found(address: str, carried: list[str]) -> None:
    assert [str(each) for each in AddressRules.faces(ip_address(address))] == carried
    assert not AddressRules.is_public(ip_address(address))


def test_python_knows_of_no_other_address_that_is_not_for_all() -> None:
    # The networks that `ipaddress` calls private in one release or another, and both ends of each.
    networks = [
        *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29"),
        *("192.0.0.170/31", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("240.0.0.0/4", "255.255.255.255/32", "100.64.0.0/10", "192.0.0.0/24"),
        *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001:2::/48", "2001:db8::/32"),
        *("2001:10::/28", "fc00::/7", "fe80::/10", "fec0::/10", "3fff::/20"),
    ]
    ends = [end for each in map(ip_network, networks) for end in (each[0], each[-1])]
    # The last mapped address is the broadcast one.
    assert [str(end) for end in ends if AddressRules.is_public(end)] == []


def test_what_is_granted_is_granted_with_all_that_it_carries() -> None:
    rules = AddressRules(granted=["10.0.0.0/8", "fd00::/8"])
    for good in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fd00::1", "8.8.8.8"):
        rules.admit(NAME, ip_address(good))
    for bad in ("192.168.0.1", "fe80::1", "64:ff9b::c0a8:1", "::10.0.0.1"):
        with pytest.raises(PermissionDeniedError, match=r"'a\.example:443' leads to an address"):
            rules.admit(NAME, ip_address(bad))


def test_no_grant_reaches_an_interface_of_this_machine() -> None:
    rules = AddressRules(granted=["::/0", "0.0.0.0/0"])
    assert rules.refused(ip_address("fe80::1")) is None
    assert rules.refused(ip_address("fe80::1%eth0")) is AddressKind.LINK_LOCAL


def test_a_network_must_be_one() -> None:
    for wrong in ("10.0.0.1/8", "ten", "10.0.0.0/33"):
        with pytest.raises(ConfigurationError, match="granted network"):
            AddressRules(granted=[wrong])
