from __future__ import annotations

import pytest

from mcp_server.security.authentication.dpop.request_target import canonical_target


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example/mcp", "HTTPS://A.Example:443/mcp?x=1#y", True),
        ("https://a.example", "https://a.example/", True),
        ("http://a.example:80/", "http://a.example/", True),
        ("https://a.example/%7e%2f", "https://a.example/~%2F", True),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]/", True),
        ("https://a.example/mcp", "https://a.example/mcp/", False),
        ("https://a.example/mcp", "https://a.example/MCP", False),
        ("https://a.example/mcp", "http://a.example/mcp", False),
        ("https://a.example:8443/", "https://a.example/", False),
        ("https://a.example/a%2fb", "https://a.example/a/b", False),
        ("https://a.example/", "https://b.example/", False),
    ],
)
def test_when_two_addresses_are_the_same(one: str, other: str, is_same: bool) -> None:
    assert (canonical_target(one) == canonical_target(other)) is is_same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "/mcp",
        "ftp://a.example/",
        "https:///mcp",
        "https://user@a.example/",
        "https://a.example/a/../b",
        "https://a.example/%2e%2e/b",
        "https://a.example/%zz",
        "https://a.example/%",
        "https://a.example\\@b/",
        "https://a.example/\n",
        "https://a.example/é",
        "https://a.example:x/",
        "https://a.example:99999/",
        "https://a.example/" + "a" * 2048,
        "https://[::1/",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_target(text)
