"""Attacks by redirect: each hop is a new request, and takes along nothing that belongs to another."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from tests.support.authority import Authority
from tests.support.loopback_server import LoopbackServer, ok, redirect
from tests.support.web_rig import LOOPBACK, WebRig

CREDENTIALS = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Api-Key": "s3cret"}


def first_hop(location: str, status: int = 302) -> Any:
    """Return what answers `/` with a redirect, and anything else with what is there."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(redirect(location, status) if request.split(b" ")[1] == b"/" else ok(b"the end"))

    return answer


def fetch(url: str, headers: dict[str, str]) -> bytes:
    """Get what is at `url` as a plain client does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return bytes(answer.read())


def test_a_redirect_to_loopback_needs_loopback_to_be_granted() -> None:
    async def attack(granted: tuple[str, ...]) -> tuple[bytes, int]:
        async with LoopbackServer(ok(b"the secret of loopback")) as inner:
            location = f"http://127.0.0.1:{inner.port}/"
            # The outer server is reached at an address of loopback, too, that is granted by itself.
            async with LoopbackServer(redirect(location)) as outer:
                rig = WebRig({"good.example": ["127.0.0.1"]}, granted=granted)
                rig.admit = admit_only("good.example", rig.admit)  # type: ignore[method-assign] # the barrier is named
                try:
                    return (await rig.get(f"http://good.example:{outer.port}/")).body, len(inner.requests)
                except PermissionDeniedError:
                    return b"", len(inner.requests)

    assert asyncio.run(attack(())) == (b"", 0)
    assert asyncio.run(attack(LOOPBACK)) == (b"the secret of loopback", 1)


def admit_only(host: str, judge: Any) -> Any:
    """Let one name pass, and judge all others."""
    return lambda endpoint, address: None if endpoint.host == host else judge(endpoint, address)


def test_a_redirect_to_a_host_that_is_not_permitted_is_not_followed() -> None:
    async def attack(*permitted: str) -> tuple[bytes, list[str]]:
        async with LoopbackServer(ok(b"elsewhere")) as other, LoopbackServer(b"") as first:
            first._answer = redirect(f"http://other.example:{other.port}/")
            names = {"good.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
            hosts = {"good": f"good.example:{first.port}", "other": f"other.example:{other.port}"}
            rig = WebRig(names, granted=LOOPBACK, permitted=[hosts[each] for each in permitted])
            try:
                return (await rig.get(f"http://{hosts['good']}/")).body, rig.resolved
            except PermissionDeniedError as error:
                if error.missing != (("NETWORK_CONNECT", hosts["other"]),):
                    raise
                return b"", rig.resolved

    assert asyncio.run(attack("good")) == (b"", ["good.example"])
    assert asyncio.run(attack("good", "other")) == (b"elsewhere", ["good.example", "other.example"])


def test_a_redirect_to_another_port_is_another_permission() -> None:
    async def attack() -> list[str]:
        async with LoopbackServer(ok(b"a database")) as inner, LoopbackServer(b"") as first:
            first._answer = redirect(f"http://127.0.0.1:{inner.port}/")
            rig = WebRig(granted=LOOPBACK, permitted=[f"127.0.0.1:{first.port}"])
            with pytest.raises(PermissionDeniedError):
                await rig.get(f"http://127.0.0.1:{first.port}/")
            return inner.heads

    assert asyncio.run(attack()) == []


@pytest.mark.parametrize("is_same_origin", [True, False])
def test_credentials_stay_with_the_origin_that_they_were_meant_for(is_same_origin: bool) -> None:
    async def attack() -> tuple[str, str]:
        async with LoopbackServer(ok(b"")) as other, LoopbackServer(b"") as first:
            target = f"http://127.0.0.1:{first.port}/next" if is_same_origin else f"http://127.0.0.1:{other.port}/next"
            first._answer = first_hop(target)
            rig = WebRig(granted=LOOPBACK)
            await rig.get(f"http://127.0.0.1:{first.port}/", headers={**CREDENTIALS, "Accept": "text/plain"})
            careful = (first if is_same_origin else other).heads[-1]
            await asyncio.to_thread(fetch, f"http://127.0.0.1:{first.port}/", CREDENTIALS)
            return careful, (first if is_same_origin else other).heads[-1]

    careful, careless = asyncio.run(attack())
    assert "accept: text/plain" in careful
    assert ("s3cret" in careful) is is_same_origin
    # A plain client sends them along.
    assert "s3cret" in careless


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_body_is_never_sent_on_to_another_origin(status: int) -> None:
    async def attack() -> list[bytes]:
        async with LoopbackServer(ok(b"")) as other, LoopbackServer(b"") as first:
            first._answer = redirect(f"http://127.0.0.1:{other.port}/", status)
            rig = WebRig(granted=LOOPBACK)
            try:
                await rig.request("POST", f"http://127.0.0.1:{first.port}/", body=b"password=s3cret")
            except SandboxViolationError as error:
                if (error.reason, status) not in (("escape", 307), ("escape", 308)):
                    raise
            assert b"s3cret" in first.requests[0]
            return other.requests

    requests = asyncio.run(attack())
    assert all(b"s3cret" not in request for request in requests)
    assert [request.split(b" ")[0] for request in requests] == ([] if status in (307, 308) else [b"GET"])


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_is_sent_again_to_the_same_origin_when_it_is_asked_for(status: int) -> None:
    async def use() -> list[bytes]:
        async with LoopbackServer(first_hop("/next", status)) as server:
            reply = await WebRig(granted=LOOPBACK).request("PUT", f"http://127.0.0.1:{server.port}/", body=b"all of it")
            assert (reply.body, reply.url) == (b"the end", f"http://127.0.0.1:{server.port}/next")
            return server.requests

    requests = asyncio.run(use())
    assert [request.split(b" ")[0] for request in requests] == [b"PUT", b"PUT"]
    assert all(request.endswith(b"all of it") for request in requests)


def test_a_redirect_from_https_to_http_is_not_followed(tmp_path: Any) -> None:
    authority = Authority(tmp_path)

    async def attack(scheme: str) -> list[str]:
        tls = authority.server("127.0.0.1")
        async with (
            LoopbackServer(ok(b"")) as plain,
            LoopbackServer(ok(b""), tls=tls) as safe,
            LoopbackServer(b"", tls=tls) as first,
        ):
            target = plain if scheme == "http" else safe
            first._answer = redirect(f"{scheme}://127.0.0.1:{target.port}/")
            rig = WebRig(granted=LOOPBACK, authorities=[authority.pem])
            try:
                await rig.get(f"https://127.0.0.1:{first.port}/")
            except SandboxViolationError as error:
                if error.reason != "escape":
                    raise
            return target.heads

    assert asyncio.run(attack("http")) == []
    assert len(asyncio.run(attack("https"))) == 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1:6379/", "ftp://a.example/", "//user@a.example/", "http://a.example\\@b/",
     "http://a.example/a b", "http://2130706433/", "javascript:alert(1)"],
)  # fmt: skip
def test_a_redirect_to_what_is_no_address_is_not_followed(location: str) -> None:
    async def attack() -> list[str]:
        async with LoopbackServer(redirect(location)) as server:
            rig = WebRig(granted=LOOPBACK)
            with pytest.raises(SandboxViolationError, match="redirect"):
                await rig.get(f"http://127.0.0.1:{server.port}/")
            return rig.asked[1:]

    assert asyncio.run(attack()) == []


def test_a_circle_ends() -> None:
    async def attack() -> int:
        async with LoopbackServer(redirect("/")) as server:
            with pytest.raises(ResourceUnavailableError, match="more than 5 times"):
                await WebRig(granted=LOOPBACK).get(f"http://127.0.0.1:{server.port}/")
            return len(server.requests)

    assert asyncio.run(attack()) == 6


def test_no_cookie_is_kept_from_one_hop_or_request_to_the_next() -> None:
    async def attack() -> list[str]:
        async with LoopbackServer(b"") as server:
            server._answer = first_hop("/next")
            rig = WebRig(granted=LOOPBACK)
            for _ in range(2):
                await rig.get(f"http://127.0.0.1:{server.port}/")
            server._answer = ok(b"", "Set-Cookie: track=1")
            for _ in range(2):
                await rig.get(f"http://127.0.0.1:{server.port}/")
            return server.heads

    heads = asyncio.run(attack())
    assert len(heads) == 6
    assert all("cookie" not in head.lower() for head in heads)
