from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern, canonical_endpoint
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [
        ("api.example.org:443", "api.example.org:443"),
        ("API.example.org.:443", "api.example.org:443"),
        ("api.example.org:*", "api.example.org:8443"),
        ("*.example.org:443", "api.example.org:443"),
        ("*:443", "anything.example:443"),
        ("*:443", "8.8.8.8:443"),
        ("*", "anything.example:1"),
        ("**", "[2606:4700::1111]:53"),
        ("10.0.0.0/8:443", "10.9.8.7:443"),
        ("10.0.0.1:*", "10.0.0.1:5432"),
        ("[fd00::/8]:443", "[fd12::1]:443"),
        ("[::1]:80", "[::1]:80"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
        ("b\u00fccher.example:80", "xn--bcher-kva.example:80"),
        ("8.8.8.0/24:53", "8.8.8.8:53"),
    ],
)
def test_what_is_granted(pattern: str, resource: str) -> None:
    compiled = EndpointPattern.compile(pattern)
    assert compiled.matches(resource)
    # What a grant holds, a denial of the same words holds as well.
    assert compiled.covers(resource)


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [
        ("api.example.org:443", "api.example.org:80"),
        ("api.example.org:443", "api.example.org"),
        ("api.example.org:443", "api.example.org:443 "),
        ("api.example.org:443", "xapi.example.org:443"),
        ("api.example.org:443", "API.example.org:443"),
        ("*", "api.example.org.:443"),
        ("127.0.0.1:80", "[::ffff:127.0.0.1]:80"),
        ("*.example.org:443", "example.org:443"),
        ("*.example.org:443", "a.b.example.org:443"),
        ("*.example.org:443", "evilexample.org:443"),
        ("*.example.org:443", "api.example.org.evil.example:443"),
        ("*:443", "10.0.0.1:443"),
        ("*:443", "127.0.0.1:443"),
        ("*", "[::1]:443"),
        ("*", "[64:ff9b::a00:1]:443"),
        ("*", "169.254.169.254:80"),
        ("*", UNRESTRICTED),
        ("*", "no port"),
        ("10.0.0.0/8:443", "11.0.0.1:443"),
        ("10.0.0.0/8:443", "10.0.0.1:80"),
        ("10.0.0.0/8:443", "ten.example:443"),
        ("10.0.0.0/8:443", "[64:ff9b::a00:1]:443"),
        ("[fd00::/8]:443", "[fe80::1]:443"),
        ("0.0.0.0/0:443", "[::1]:443"),
    ],
)
def test_what_is_not_granted(pattern: str, resource: str) -> None:
    assert not EndpointPattern.compile(pattern).matches(resource)


@pytest.mark.parametrize(
    ("pattern", "resource", "is_covered"),
    [
        ("*", "10.0.0.1:443", True),
        ("*", "no port", True),
        ("*:443", "no port", False),
        ("*:443", "[::1]:443", True),
        ("*:443", "[::1]:80", False),
        ("*.example.org:443", "a.b.example.org:443", True),
        ("*.example.org:443", "example.org:443", False),
        ("10.0.0.0/8:*", "[64:ff9b::a00:1]:443", True),
        ("10.0.0.0/8:*", "[2002:a00:1::]:443", True),
        ("10.0.0.0/8:*", "ten.example:443", False),
        ("[64:ff9b::/96]:*", "[64:ff9b::a00:1]:443", True),
    ],
)
def test_a_denial_is_read_widely(pattern: str, resource: str, is_covered: bool) -> None:
    assert EndpointPattern.compile(pattern).covers(resource) is is_covered


@pytest.mark.parametrize(
    "pattern",
    ["", "a", "*.org", "a.example", "a.example:", "a.example:0", "a.example:65536", "a.example:80-90", ":80", "a b:80",
     "a*.example:80", "a.*.example:80", "*.*.example:80", "*.10.0.0.1:80", "*.[::1]:80", "10.0.0.0/33:80", "*.:80",
     "10.0.0.1/8:80", "[10.0.0.0/8]:80", "fd00::/8:80", "[fd00::/8:80", "[::ffff:0:0/96]:80", "127.1:80",
     "0x7f.1:80", "[::1%eth0]:80", "http://a.example:80", "a.example/x:80", "u@a.example:80", "a\x00:80", "{client}:80",
     "a" * 5000 + ":80"],
)  # fmt: skip
def test_what_could_never_match_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        EndpointPattern.compile(pattern)


def test_the_client_can_be_part_of_a_name() -> None:
    pattern = EndpointPattern.compile("{client}.example.org:443", client="ada")
    assert pattern.matches("ada.example.org:443")
    assert not pattern.matches("eve.example.org:443")
    with pytest.raises(ConfigurationError):
        EndpointPattern.compile("{client}.example.org:443", client="a/b")


@pytest.mark.parametrize(
    ("pattern", "canonical", "is_everything"),
    [
        ("*", "*:*", True),
        ("**", "*:*", True),
        ("*:*", "*:*", True),
        ("*:443", "*:443", False),
        ("A.example.:1", "a.example:1", False),
        ("*.A.example:*", "*.a.example:*", False),
        ("10.0.0.1:5", "10.0.0.1/32:5", False),
        ("[FD00::/8]:5", "[fd00::/8]:5", False),
    ],
)
def test_one_line_says_what_it_is(pattern: str, canonical: str, is_everything: bool) -> None:
    compiled = EndpointPattern.compile(pattern)
    assert (compiled.canonical, compiled.is_everything) == (canonical, is_everything)
    assert compiled.folded() is compiled
    assert str(compiled) == pattern


@pytest.mark.parametrize(
    ("one", "other", "is_disjoint"),
    [
        ("a.example:1", "a.example:1", False),
        ("a.example:1", "a.example:2", True),
        ("a.example:*", "a.example:2", False),
        ("a.example:1", "b.example:1", True),
        ("*.example:1", "a.example:1", False),
        ("*.example:1", "a.b.example:1", False),
        ("*.example:1", "a.org:1", True),
        ("*.example:1", "*.org:1", True),
        ("*.example:1", "*.example:*", False),
        ("*:1", "10.0.0.1:1", False),
        ("*", "*.example:1", False),
        ("10.0.0.0/8:1", "10.1.0.0/16:1", False),
        ("10.0.0.0/8:1", "11.0.0.0/8:1", True),
        ("10.0.0.0/8:1", "[fd00::/8]:1", True),
        ("10.0.0.0/8:1", "a.example:1", True),
    ],
)
def test_two_that_share_nothing(one: str, other: str, is_disjoint: bool) -> None:
    first, second = EndpointPattern.compile(one), EndpointPattern.compile(other)
    assert first.is_disjoint(second) is is_disjoint
    assert second.is_disjoint(first) is is_disjoint


def test_another_language_is_never_surely_disjoint() -> None:
    assert not EndpointPattern.compile("a.example:1").is_disjoint(ResourcePattern.compile("b"))


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("https://API.example.org/a", "api.example.org:443"),
        ("http://api.example.org", "api.example.org:80"),
        ("db.example.org:5432", "db.example.org:5432"),
        ("[::1]:80", "[::1]:80"),
    ],
)
def test_an_argument_names_a_host_and_a_port(text: str, resource: str) -> None:
    assert canonical_endpoint(text) == resource


@pytest.mark.parametrize(
    "text", ["", "api.example.org", "ftp://a.example/", "https://u@a.example/", "127.1:80", "a\n:80"]
)
def test_an_argument_that_names_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        canonical_endpoint(text)
