"""Attacks from inside a sandbox on its only way out (C07)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.egress_limits import EgressLimits
from mcp_server.resources.network.egress_proxy import EgressProxy
from mcp_server.resources.network.endpoint import IPAddress
from tests.support.loopback_server import LoopbackServer, ok, redirect
from tests.support.sandbox_exit import SandboxExit, connect
from tests.support.web_rig import EVERYTHING, LOOPBACK

PUBLIC = "93.184.215.14"
GRANTED = "api.example:443"


def status(request: bytes, *, names: dict[str, list[Any]] | None = None, **settings: Any) -> tuple[int, list[str]]:
    """Return the status of the answer, and the names that DNS heard of."""

    async def ask() -> tuple[int, list[str]]:
        async def nobody(address: IPAddress, port: int) -> socket.socket:
            raise ConnectionRefusedError

        known = {"api.example": [PUBLIC], "evil.example": [PUBLIC]} if names is None else names
        settings.setdefault("open_socket", nobody)
        async with SandboxExit(known, [GRANTED, "api.example:80"], **settings) as way_out:
            return await way_out.status(request), way_out.rig.resolved

    return asyncio.run(ask())


# What is granted is tried: here nobody listens, which is 502.
def test_what_is_granted_is_tried() -> None:
    assert status(connect(GRANTED)) == (502, ["api.example"])
    assert status(b"GET http://api.example/ HTTP/1.1\r\nHost: api.example\r\n\r\n") == (502, ["api.example"])
    assert status(b"GET http://api.example:80/ HTTP/1.1\r\nHost: api.example\r\n\r\n") == (502, ["api.example"])


@pytest.mark.parametrize(
    "target",
    ["evil.example:443", "api.example:80443", "api.example:8443", "sub.api.example:443", "API.example:443",
     "api.example.:443", "api.exampl\u0435:443", f"{PUBLIC}:443", "127.0.0.1:443", "[::1]:443",
     "[::ffff:93.184.215.14]:443", "169.254.169.254:80", "2130706433:443", "0x7f.1:443", "api.example:0443",
     "api.example: 443", "secret-data.evil.example:443", "xn--pi-6kc.example:443"],
)  # fmt: skip
def test_nothing_else_is_and_dns_does_not_hear_of_it(target: str) -> None:
    code, resolved = status(connect(target.encode()))
    assert code in (400, 403)
    assert resolved == []


@pytest.mark.parametrize(
    "target",
    [b"api.example\x00:443", b"api.example:443\x00.evil.example:443", b"\x00", b"api.example\xff:443",
     b"api\texample:443", b"api.example:443@evil.example:443", b"user@api.example:443", b"api.example",
     b"api.example:", b":443", b"[::1]", b"http://api.example:443", b"/", b"*", b"api.example:443/path",
     b"api%2eexample:443", b"api.example\\:443"],
)  # fmt: skip
def test_odd_bytes_in_the_host_are_a_bad_request(target: bytes) -> None:
    assert status(connect(target)) == (400, [])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"GET / HTTP/1.1", 400),
        (b"GET https://api.example/ HTTP/1.1", 400),
        (b"GET http://api.example\x00/ HTTP/1.1", 400),
        (b"GET http://api.example@evil.example/ HTTP/1.1", 400),
        (b"GET http://API.example/ HTTP/1.1", 403),
        (b"GET http://evil.example/ HTTP/1.1", 403),
        (b"GET http://127.0.0.1/ HTTP/1.1", 403),
        (b"TRACE http://api.example/ HTTP/1.1", 405),
        (b"FOO http://api.example/ HTTP/1.1", 405),
        (b"GET file:///etc/passwd HTTP/1.1", 400),
        (b"nonsense", 400),
        (b"\x16\x03\x01\x02\x00", 400),
    ],
)
def test_plain_requests_are_held_to_the_same(line: bytes, code: int) -> None:
    assert status(line + b"\r\nHost: api.example\r\n\r\n") == (code, [])


@pytest.mark.parametrize("answer", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_granted_name_that_leads_inside_is_refused(answer: str) -> None:
    for answers in ([answer], [PUBLIC, answer]):
        names: dict[str, list[Any]] = {"api.example": answers}
        assert status(connect(GRANTED), names=names) == (403, ["api.example"])
        # Without the barrier it is tried.
        assert status(connect(GRANTED), names=names, granted=EVERYTHING)[0] == 502


def test_a_name_is_asked_for_once_and_the_answer_kept() -> None:
    names: dict[str, list[Any]] = {"api.example": [[PUBLIC], ["127.0.0.1"]]}
    opened: list[str] = []

    async def open_socket(address: IPAddress, port: int) -> socket.socket:
        opened.append(str(address))
        raise ConnectionRefusedError

    assert status(connect(GRANTED), names=names, open_socket=open_socket) == (502, ["api.example"])
    assert opened == [PUBLIC]


def test_a_refusal_names_no_address() -> None:
    async def ask() -> bytes:
        async with SandboxExit({"api.example": ["10.1.2.3"]}, [GRANTED]) as way_out:
            return await way_out.ask(connect(GRANTED))

    answer = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"10.1" not in answer


def test_a_redirect_is_the_sandboxs_to_follow_and_the_proxys_to_refuse() -> None:
    async def ask() -> tuple[bytes, int, list[str]]:
        async with LoopbackServer(ok(b"inner secret")) as inner, LoopbackServer(b"") as server:
            server._answer = redirect(f"http://127.0.0.1:{inner.port}/")
            host = f"api.example:{server.port}"
            async with SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK) as way_out:
                answer = await way_out.ask(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                code = await way_out.status(f"GET http://127.0.0.1:{inner.port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                return answer, code, inner.heads

    answer, code, heads = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 302 ")
    assert (code, heads) == (403, [])


def test_a_plain_request_is_framed_anew() -> None:
    async def ask() -> tuple[list[bytes], bytes]:
        async with LoopbackServer(ok(b"answer", "Connection: X-Hop", "X-Hop: 1", "X-End: 2")) as server:
            host = f"api.example:{server.port}"
            async with SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK) as way_out:
                # Another host in the header, a header for this hop only, and a second request behind the first.
                answer = await way_out.ask(
                    f"POST http://{host}/a HTTP/1.1\r\nHost: evil.example\r\nConnection: X-Local\r\nX-Local: 1\r\n"
                    "Proxy-Authorization: secret\r\nX-Kept: 2\r\nContent-Length: 4\r\n\r\nbody"
                    "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode()
                )
                return server.requests, answer.replace(str(server.port).encode(), b"PORT")

    requests, answer = asyncio.run(ask())
    assert len(requests) == 1
    text = requests[0].lower()
    assert text.startswith(b"post /a http/1.1\r\nhost: api.example:")
    assert text.endswith(b"\r\n\r\nbody")
    assert b"x-kept: 2" in text
    assert all(each not in text for each in (b"evil", b"x-local", b"secret"))
    assert answer.endswith(b"\r\n\r\nanswer")
    assert b"x-end: 2" in answer
    assert b"x-hop" not in answer


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"Content-Length: 4\r\nContent-Length: 5",
     b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: \x0bchunked", b"Content-Length: +4",
     b"Content-Length : 4"],
)  # fmt: skip
def test_a_message_with_two_readings_reaches_nobody_as_it_is(head: bytes) -> None:
    async def ask() -> tuple[bytes, list[bytes]]:
        async with LoopbackServer(ok(b"")) as server:
            host = f"api.example:{server.port}"
            async with SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK) as way_out:
                request = f"POST http://{host}/ HTTP/1.1\r\nHost: a\r\n".encode() + head + b"\r\n\r\n0\r\n\r\nGET /x"
                return await way_out.ask(request), server.requests

    answer, requests = asyncio.run(ask())
    # One reading is passed on, in one framing, or none.
    assert answer.startswith(b"HTTP/1.1 400") or (len(requests) == 1 and b"content-length" not in requests[0].lower())
    assert all(b"GET /x" not in request for request in requests)


def test_a_tunnel_carries_bytes_both_ways() -> None:
    async def echo(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"echo " + request)

    async def ask() -> tuple[bytes, bytes, list[tuple[str, int]], int]:
        async with LoopbackServer(echo) as server:
            host = f"api.example:{server.port}"
            async with SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK) as way_out:
                reader, writer = await way_out.open()
                # The first bytes come with the request already.
                writer.write(connect(host) + b"\x00\xff early")
                established = await reader.readuntil(b"\r\n\r\n")
                writer.write(b" and late\r\n\r\n")
                rest = await reader.read()
                writer.close()
                await way_out.ended()
                told = [(asked.replace(str(server.port), "PORT"), code) for asked, code in way_out.told]
                return established, rest, told, way_out.proxy.carried_bytes

    established, rest, told, carried = asyncio.run(ask())
    assert established.startswith(b"HTTP/1.1 200 ")
    assert rest == b"echo \x00\xff early and late\r\n\r\n"
    assert told == [("api.example:PORT", 200)]
    assert carried == len(b"\x00\xff early and late\r\n\r\n") + len(rest)


def test_headers_without_end_are_refused() -> None:
    flood = b"CONNECT api.example:443 HTTP/1.1\r\n" + b"X: " + b"a" * 20_000
    assert status(flood)[0] == 431
    assert status(flood + b"\r\n\r\n", limits=EgressLimits(max_header_bytes=30_000))[0] in (400, 502)


def test_headers_that_do_not_come_are_not_waited_for() -> None:
    assert status(b"CONNECT api.ex", limits=EgressLimits(header_seconds=0.05))[0] == 408


def test_tunnels_are_counted() -> None:
    async def ask() -> list[int]:
        async with SandboxExit({}, [GRANTED], limits=EgressLimits(max_tunnels=2)) as way_out:
            waiting = [await way_out.open() for _ in range(2)]
            # Both are being served now; the third is one too many, until one has ended.
            too_many = await way_out.status(b"")
            waiting[0][1].close()
            await waiting[0][0].read()
            await way_out._tasks[0]
            return [too_many, await way_out.status(connect("evil.example:443"))]

    assert asyncio.run(ask()) == [503, 403]


def test_a_silent_tunnel_ends() -> None:
    async def silent(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def ask() -> bytes:
        async with LoopbackServer(silent) as server:
            host = f"api.example:{server.port}"
            limits = EgressLimits(idle_seconds=0.05)
            exit_ = SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK, limits=limits)
            async with exit_ as way_out:
                reader, writer = await way_out.open()
                writer.write(connect(host))
                async with asyncio.timeout(10):
                    answer = await reader.read()
                await way_out.ended()
                return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("most", [100_000, 10_000_000])
def test_bytes_are_counted_over_all_tunnels(most: int) -> None:
    async def generous(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"a" * 1_000_000)

    async def ask() -> int:
        async with LoopbackServer(generous) as server:
            host = f"api.example:{server.port}"
            limits = EgressLimits(max_bytes=most)
            exit_ = SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK, limits=limits)
            received = 0
            async with exit_ as way_out:
                for _ in range(3):
                    received += len(await way_out.ask(connect(host) + b"go\r\n\r\n"))
            return received

    received = asyncio.run(ask())
    assert (received > 3_000_000) is (most > 3_000_000)
    if most < 3_000_000:
        assert received < most + 1000


def test_the_bytes_of_plain_requests_are_counted_too() -> None:
    async def ask(most: int) -> int:
        async with LoopbackServer(ok(b"a" * 1_000_000)) as server:
            host = f"api.example:{server.port}"
            limits = EgressLimits(max_bytes=most)
            exit_ = SandboxExit({"api.example": ["127.0.0.1"]}, [host], granted=LOOPBACK, limits=limits)
            async with exit_ as way_out:
                return len(await way_out.ask(f"GET http://{host}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()))

    assert asyncio.run(ask(100_000)) < 200_000
    assert asyncio.run(ask(10_000_000)) > 1_000_000


@pytest.mark.parametrize("entry", ["API.example:443", "api.example", "api.example.:443", "*.example:443", "*", ""])
def test_what_is_granted_must_be_written_in_its_one_form(entry: str) -> None:
    with pytest.raises(ConfigurationError):
        SandboxExit({}, [entry])


def test_addresses_that_are_granted_by_name_are_judged_by_their_own_rules() -> None:
    async def ask(granted: tuple[str, ...]) -> int:
        async with LoopbackServer(ok(b"inner")) as server:
            host = f"127.0.0.1:{server.port}"
            async with SandboxExit({}, [host], granted=granted) as way_out:
                return await way_out.status(f"GET http://{host}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert asyncio.run(ask(())) == 403
    assert asyncio.run(ask(("127.0.0.1/32",))) == 200


def test_it_judges_by_default() -> None:
    rig = SandboxExit({}, []).rig
    proxy = EgressProxy(allowed=[], connector=rig.connector)
    assert isinstance(proxy._rules, AddressRules)
    assert proxy._rules._granted == ()
