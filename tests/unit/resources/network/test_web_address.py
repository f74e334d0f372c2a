from __future__ import annotations

import pytest

from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.web_address import WebAddress


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://a.example", "https://a.example/"),
        ("HTTP://A.Example:80/x#frag", "http://a.example/x"),
        ("https://a.example:8443?q=1", "https://a.example:8443/?q=1"),
        ("https://[::1]:443/", "https://[::1]/"),
        ("https://a.example/\u00e9?\u00e9=\u00e9", "https://a.example/%C3%A9?%C3%A9=%C3%A9"),
        ("https://a.example/%2e%2e/%zz", "https://a.example/%2e%2e/%zz"),
        ('https://a.example/<>"|^`{}', "https://a.example/%3C%3E%22%7C%5E%60%7B%7D"),
    ],
)
def test_there_is_one_way_to_write_it(text: str, canonical: str) -> None:
    address = WebAddress.parse(text)
    assert str(address) == canonical
    assert WebAddress.parse(canonical) == address
    assert address.target.isascii()


def test_its_parts() -> None:
    address = WebAddress.parse("https://a.example/b?c")
    assert (address.endpoint, address.target, address.authority) == (Endpoint("a.example", 443), "/b?c", "a.example")
    assert address.origin == ("https", Endpoint("a.example", 443))
    assert WebAddress.parse("http://a.example:443/").authority == "a.example:443"
    assert WebAddress.parse("http://[::1]:8080/").authority == "[::1]:8080"


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("/x", "https://a.example/x"),
        ("x", "https://a.example/b/x"),
        ("../x", "https://a.example/x"),
        ("?y", "https://a.example/b/c?y"),
        ("", "https://a.example/b/c?d"),
        ("//B.example/x", "https://b.example/x"),
        ("http://b.example", "http://b.example/"),
    ],
)
def test_redirects_are_relative_to_where_they_came_from(location: str, there: str) -> None:
    assert str(WebAddress.parse("https://a.example/b/c?d").join(location)) == there


@pytest.mark.parametrize("location", ["\\x", "/a b", "ftp://a/", "//u@b.example/", "//127.1/", "/\n", "a" * 9000])
def test_a_redirect_to_nowhere_is_refused(location: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        WebAddress.parse("https://a.example/").join(location)


def test_its_length_is_that_of_what_is_sent() -> None:
    longest = "https://a.example/" + "a" * (8192 - 18)
    assert str(WebAddress.parse(longest)) == longest
    for long in (longest + "a", "https://a.example/" + "\u00e9" * 2000):
        with pytest.raises(ValueError, match="8192"):
            WebAddress.parse(long)
