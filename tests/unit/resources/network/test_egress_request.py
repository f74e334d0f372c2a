from __future__ import annotations

import pytest

from mcp_server.resources.network.egress_refused_error import EgressRefusedError
from mcp_server.resources.network.egress_request import EgressRequest, forwarded
from mcp_server.resources.network.endpoint import Endpoint


def test_a_tunnel_is_a_host_and_a_port() -> None:
    request = EgressRequest.read(b"CONNECT", b"API.example:443")
    assert (request.endpoint, request.asked, request.is_tunnel) == (
        Endpoint("api.example", 443),
        b"API.example:443",
        True,
    )


@pytest.mark.parametrize(
    ("target", "asked", "there"),
    [
        (b"http://a.example", b"a.example:80", "/"),
        (b"http://a.example:80/x", b"a.example:80", "/x"),
        (b"http://A.example:8080?q", b"A.example:8080", "/?q"),
        (b"http://[::1]/x", b"[::1]:80", "/x"),
    ],
)
def test_a_plain_request_is_an_address(target: bytes, asked: bytes, there: str) -> None:
    request = EgressRequest.read(b"GET", target)
    assert (request.asked, request.target, request.is_tunnel) == (asked, there, False)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        (b"CONNECT", b"a.example", 400),
        (b"CONNECT", b"a\x00b:443", 400),
        (b"CONNECT", b"\xff:443", 400),
        (b"GET", b"/", 400),
        (b"GET", b"https://a.example/", 400),
        (b"GET", b"http://u@a.example/", 400),
        (b"TRACE", b"http://a.example/", 405),
    ],
)
def test_what_is_neither_has_a_status(method: bytes, target: bytes, status: int) -> None:
    with pytest.raises(EgressRefusedError) as caught:
        EgressRequest.read(method, target)
    assert caught.value.status == status


def test_headers_of_one_connection_are_not_passed_on() -> None:
    given = [(b"connection", b"close, X-A"), (b"x-a", b"1"), (b"te", b"x"), (b"upgrade", b"h2c"), (b"x-b", b"2")]
    assert forwarded(given, []) == [(b"x-b", b"2")]
