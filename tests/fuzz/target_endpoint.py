"""Addresses of the web, hosts and ports, and patterns of them: refused, or of one form that reads as itself."""

from __future__ import annotations

from contextlib import suppress

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.egress_refused_error import EgressRefusedError
from mcp_server.resources.network.egress_request import EgressRequest
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.web_address import WebAddress
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern

name = "endpoint"

corpus = (
    b"https://api.example.org:8443/a/b?c=d#e",
    b"http://user@evil.example/",
    b"http://[::ffff:127.0.0.1]:80/",
    b"http://2130706433/",
    b"http://0177.0.0.1:80/..%2f",
    "http://b\u00fccher.example/\u00e9".encode(),
    "http://\uff11\uff12\uff17\u30020.0.1/".encode(),
    b"api.example.org:443",
    b"[2001:db8::1]:443",
    b"*.example.org:443",
    b"10.0.0.0/8:443",
    b"[fd00::/8]:*",
    b"*:*",
)

HOST = set("abcdefghijklmnopqrstuvwxyz0123456789-_.:")


def run(data: bytes) -> None:
    """Read the same text as all that it could be."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(ValueError):
        _check(Endpoint.parse(text))
    try:
        address = WebAddress.parse(text)
    except ValueError:
        pass
    else:
        _check(address.endpoint)
        assert WebAddress.parse(str(address)) == address
        assert address.target.startswith("/")
        assert all("!" <= each <= "~" for each in address.target)
    for method in (b"CONNECT", b"GET"):
        with suppress(EgressRefusedError):
            request = EgressRequest.read(method, data)
            _check(request.endpoint)
            assert request.asked.removesuffix(b":80") in data
    try:
        pattern = EndpointPattern.compile(text)
    except ConfigurationError:
        return
    assert EndpointPattern.compile(pattern.canonical).canonical == pattern.canonical
    for resource in (text, "api.example.org:443", "10.0.0.1:443", "[::1]:443"):
        # Whatever a grant holds, a denial of the same words holds too.
        assert pattern.covers(resource) or not pattern.matches(resource)


def _check(endpoint: Endpoint) -> None:
    assert set(endpoint.host) <= HOST
    assert 1 <= endpoint.port <= 65_535
    assert Endpoint.parse(str(endpoint)) == endpoint
    if endpoint.address is not None:
        assert str(endpoint.address) == endpoint.host
        assert AddressRules.faces(endpoint.address)
