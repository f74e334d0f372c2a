from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.security.authentication.key_sets.key_address import KeyAddress

HERE = Endpoint.parse("id.example:443")


@pytest.mark.parametrize("url", ["http://id.example/", "ftp://id.example/", "id.example", "", "https://", "file:///x"])
def test_keys_are_fetched_over_https_only(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        KeyAddress(url)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        KeyAddress("https://id.example/", networks=("10.0.0.0/33",))


def test_only_the_named_host_is_connected_to() -> None:
    address = KeyAddress("https://id.example/keys")
    asyncio.run(address.permit(HERE))
    for other in ("id.example:8443", "evil.example:443", "127.0.0.1:443"):
        with pytest.raises(PermissionDeniedError, match="no other"):
            asyncio.run(address.permit(Endpoint.parse(other)))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"])
def test_an_address_that_is_not_public_takes_a_grant(text: str) -> None:
    with pytest.raises(PermissionDeniedError, match="not public"):
        KeyAddress("https://id.example/").admit(HERE, ip_address(text))
    KeyAddress("https://id.example/").admit(HERE, ip_address("93.184.216.34"))


def test_a_granted_network_may_be_connected_to() -> None:
    address = KeyAddress("https://id.example/", networks=("10.0.0.0/8",))
    address.admit(HERE, ip_address("10.0.0.1"))
    with pytest.raises(PermissionDeniedError, match="not public"):
        address.admit(HERE, ip_address("192.168.0.1"))


def test_its_form_tells_addresses_apart() -> None:
    forms = [
        KeyAddress("https://a.example/"),
        KeyAddress("https://a.example/", is_metadata=True),
        KeyAddress("https://a.example/", networks=("10.0.0.0/8",)),
    ]
    assert len({str(each.to_json()) for each in forms}) == 3
