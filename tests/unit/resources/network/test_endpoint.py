from __future__ import annotations

from ipaddress import ip_address

import pytest

from mcp_server.resources.network.endpoint import Endpoint, canonical_host


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("api.example.org:443", "api.example.org:443"),
        ("API.Example.ORG.:443", "api.example.org:443"),
        ("localhost:1", "localhost:1"),
        ("_srv.a-b.example:65535", "_srv.a-b.example:65535"),
        ("b\u00fccher.example:80", "xn--bcher-kva.example:80"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[2001:DB8:0::1]:80", "[2001:db8::1]:80"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
        ("1.example:80", "1.example:80"),
    ],
)
def test_there_is_one_way_to_write_it(text: str, canonical: str) -> None:
    endpoint = Endpoint.parse(text)
    assert str(endpoint) == canonical
    assert Endpoint.parse(canonical) == endpoint


@pytest.mark.parametrize(
    "text",
    ["", ":", ":80", "a", "a:", "a:0", "a:00", "a:080", "a:65536", "a:-1", "a:+1", "a: 1", "a:1 ", "a:\u0661", "a:b:1",
     "[::1]", "[::1]80", "[::1:80", "::1:80", "[127.0.0.1]:80", "[fe80::1%eth0]:80", "[]:80", "a b:80", "a\x00:80",
     "a/b:80", "a@b:80", "a%41:80", "a*:80", ".a:80", "a..b:80", "a..:80", "-a:80", "a-:80", "a:80:80",
     "256.0.0.1:80", "1.2.3:80", "01.2.3.4:80", "1.2.3.4.5:80", "0x:80", "a.0x7f:80", "a.1:80", "\u2460.example:80"],
)  # fmt: skip
def test_what_is_none_or_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        Endpoint.parse(text)


def test_a_port_may_come_from_elsewhere() -> None:
    assert Endpoint.parse("a.example", default_port=443).port == 443
    assert Endpoint.parse("[::1]", default_port=80) == Endpoint("::1", 80)
    assert Endpoint.parse("a.example:8443", default_port=443).port == 8443


def test_it_knows_an_address_from_a_name() -> None:
    assert Endpoint.parse("10.0.0.1:1").address == ip_address("10.0.0.1")
    assert Endpoint.parse("[::1]:1").address == ip_address("::1")
    assert Endpoint.parse("ten.example:1").address is None
    assert str(Endpoint.of_address(ip_address("::1"), 5)) == "[::1]:5"


def test_names_have_the_lengths_of_dns() -> None:
    label = "a" * 63
    longest = ".".join([label, label, label, "b" * 61])
    assert canonical_host(longest) == longest
    for long in (longest + "b", "a" * 64, "a" * 10_000, "\u00fc" * 300):
        with pytest.raises(ValueError, match=r"characters|form|spelling"):
            canonical_host(long)
