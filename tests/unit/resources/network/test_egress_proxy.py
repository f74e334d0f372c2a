from __future__ import annotations

import asyncio

from tests.support.loopback_server import LoopbackServer, ok
from tests.support.sandbox_exit import SandboxExit
from tests.support.web_rig import LOOPBACK


def plain(answer: bytes, request: bytes) -> tuple[bytes, list[bytes]]:
    """Return what comes back for a plain request to a granted server, and what reached it; `HOST` stands for it."""

    async def use() -> tuple[bytes, list[bytes]]:
        async with LoopbackServer(answer) as server:
            host = f"a.example:{server.port}"
            async with SandboxExit({"a.example": ["127.0.0.1"]}, [host], granted=LOOPBACK) as way_out:
                answered = await way_out.ask(request.replace(b"HOST", host.encode()))
                await way_out.ended()
                return answered, server.requests

    return asyncio.run(use())


def test_an_answer_without_length_is_passed_on_to_its_end() -> None:
    answer, _ = plain(b"HTTP/1.1 200 OK\r\n\r\nto the end", b"GET http://HOST/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"to the end" in answer


def test_a_chunked_answer_stays_one() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    answer, _ = plain(chunked, b"GET http://HOST/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"3\r\nabc\r\n0\r\n\r\n")


def test_an_answer_to_head_has_no_body() -> None:
    answer, _ = plain(ok(b"")[:-2] + b"X: 1\r\n\r\n", b"HEAD http://HOST/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


def test_who_waits_for_a_sign_gets_it_from_the_proxy() -> None:
    answer, requests = plain(
        ok(b"done"), b"POST http://HOST/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab"
    )
    assert answer.startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 200 "))
    assert answer.endswith(b"done")
    assert b"expect" not in requests[0].lower()


def test_an_answer_that_is_none_is_a_bad_gateway() -> None:
    for nonsense in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"):
        answer, _ = plain(nonsense, b"GET http://HOST/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 ")


def test_an_answer_that_breaks_off_breaks_off() -> None:
    answer, _ = plain(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"GET http://HOST/ HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"abc")


def test_a_sandbox_that_leaves_early_is_no_error() -> None:
    async def use() -> int:
        async with SandboxExit({}, []) as way_out:
            _, writer = await way_out.open()
            writer.close()
            await way_out.ended()
            return way_out.proxy._open

    assert asyncio.run(use()) == 0
