"""Attacks on the request: what is read as one address, is sent as that one."""

from __future__ import annotations

import asyncio
import urllib.parse
import urllib.request

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from tests.support.loopback_server import LoopbackServer, ok
from tests.support.web_rig import EVERYTHING, LOOPBACK, WebRig


def refused(url: str) -> str:
    """Return why an address is refused; nothing was asked for, and nothing resolved."""
    rig = WebRig(granted=EVERYTHING)
    with pytest.raises(SandboxViolationError) as caught:
        asyncio.run(rig.get(url))
    assert (caught.value.reason, rig.asked, rig.resolved) == ("name", [], [])
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://granted.example@evil.example/", "http://granted.example:443@evil.example/", "https://user:word@a.example/",
     "http://@evil.example/", "http://granted.example%40evil.example/"],
)  # fmt: skip
def test_an_address_with_a_user_in_it_is_refused(url: str) -> None:
    assert "user" in refused(url) or "character" in refused(url)


def test_a_prefix_that_looks_right_is_not_the_host() -> None:
    url = "http://granted.example@evil.example/"
    # What a careless check sees, and where a plain client goes.
    assert url.startswith("http://granted.example")
    assert urllib.parse.urlsplit(url).hostname == "evil.example"
    assert "names a user" in refused(url)


@pytest.mark.parametrize("odd", ["\x00", "\r\n", "\n", "\r", "\t", " ", "\x7f", "\x85", "\\", "\ud800", "\u2028"])
def test_odd_characters_are_refused_wherever_they_stand(odd: str) -> None:
    assert refused(f"http://a{odd}b.example/")
    if odd != "\u2028":
        assert refused(f"http://a.example/{odd}x")
        assert refused(f"{odd}http://a.example/")


def test_a_line_end_in_a_host_would_become_a_header() -> None:
    url = "http://a.example\r\nX-Injected: 1/"
    assert "control character" in refused(url)

    async def careless() -> str:
        async with LoopbackServer(ok(b"")) as server:
            host = url.removeprefix("http://").removesuffix("/")
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            await reader.read()
            writer.close()
            return server.heads[0]

    assert "\r\nX-Injected: 1" in asyncio.run(careless())


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "file:///etc/passwd", "//a.example/", "a.example", "http:/a.example/", "http:a.example",
     "http://", "http:///path", "http://a.example:0/", "http://a.example:65536/", "http://a.example:/",
     "http://a.example:80:80/", "http://a.example:8e1/", "http://[::1/", "http://[::1]x/", "http://[fe80::1%25eth0]/",
     "http://a..example/", "http://.a.example/", "http://-a.example/", "http://a_.example-/", "http://*.example/",
     "http://" + "a" * 64 + ".example/", "http://" + "a." * 127 + "example/", "http://a.example/" + "a" * 8192,
     "unix:///run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/"],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert refused(url)


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nX-Injected: 1"}, {"X\r\nY": "1"}, {"X": "a\x00"}, {"X ": "1"}, {"": "1"}, {"X": "\u00e9"},
     {"Host": "evil.example"}, {"host": "evil.example"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "3"},
     {"Connection": "keep-alive"}, {"Upgrade": "h2c"}, {"Proxy-Authorization": "x"}, {"A": "1", "a": "2"},
     {"X": "a" * 8193}, {f"X-{n}": "1" for n in range(65)}],
)  # fmt: skip
def test_headers_that_would_say_something_else_are_refused(headers: dict[str, str]) -> None:
    rig = WebRig(granted=LOOPBACK)
    with pytest.raises(SandboxViolationError) as caught:
        asyncio.run(rig.get("http://127.0.0.1:9/", headers=headers))
    assert rig.asked == []
    assert "Injected" not in str(caught.value)


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: 1\r\n\r\nGET", ""])
def test_methods_that_make_something_else_of_it_are_refused(method: str) -> None:
    rig = WebRig(granted=LOOPBACK)
    with pytest.raises(SandboxViolationError, match="method"):
        asyncio.run(rig.request(method, "http://127.0.0.1:9/"))
    assert rig.asked == []


def test_a_body_is_bounded() -> None:
    rig = WebRig(granted=LOOPBACK)
    with pytest.raises(LimitExceededError, match="send less"):
        asyncio.run(rig.request("POST", "http://127.0.0.1:9/", body=b"a" * (4 * 1024 * 1024 + 1)))
    assert rig.asked == []


def test_the_host_header_is_the_name_that_was_permitted() -> None:
    async def use() -> str:
        async with LoopbackServer(ok(b"")) as server:
            await WebRig({"api.example": ["127.0.0.1"]}, granted=LOOPBACK).get(
                f"http://API.example.:{server.port}/a?b#c"
            )
            return server.heads[0].replace(str(server.port), "PORT")

    lines = asyncio.run(use()).split("\r\n")
    assert lines[:2] == ["GET /a?b HTTP/1.1", "host: api.example:PORT"]
    assert [line for line in lines if line.lower().startswith("host")] == lines[1:2]


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> tuple[bytes, list[str], bytes]:
        async with LoopbackServer(ok(b"direct")) as server, LoopbackServer(ok(b"by the proxy")) as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            for name in ("no_proxy", "NO_PROXY"):
                monkeypatch.delenv(name, raising=False)
            url = f"http://127.0.0.1:{server.port}/"
            reply = await WebRig(granted=LOOPBACK).get(url)
            untouched = list(proxy.heads)
            plain = await asyncio.to_thread(fetch, url)
            return reply.body, untouched, plain

    # A plain client goes where the environment says.
    assert asyncio.run(use()) == (b"direct", [], b"by the proxy")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())
