from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.http_limits import HttpLimits
from mcp_server.resources.network.http_reply import HttpReply
from tests.support.loopback_server import LoopbackServer, ok
from tests.support.web_rig import LOOPBACK, WebRig


def test_a_request_goes_out_as_it_was_written_and_the_answer_comes_back() -> None:
    async def use() -> tuple[HttpReply, str, bytes, int]:
        async with LoopbackServer(ok(b"answer", "X-A: 1", "X-A: 2")) as server:
            reply = await WebRig(granted=LOOPBACK).request(
                "POST", f"http://127.0.0.1:{server.port}/a?b", headers={"X-B": "3"}, body=b"question"
            )
            return reply, server.heads[0], server.requests[0], server.port

    reply, head, request, port = asyncio.run(use())
    assert (reply.status, reply.body, reply.headers["x-a"]) == (200, b"answer", "1, 2")
    assert reply.url == f"http://127.0.0.1:{port}/a?b"
    assert head.split("\r\n") == [
        "POST /a?b HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "accept-encoding: gzip",
        "connection: close",
        "content-length: 8",
        "x-b: 3",
        "accept: */*",
        "user-agent: guarded-mcp-server",
    ]
    assert request.endswith(b"question")


@pytest.mark.parametrize(("method", "has_length"), [("GET", False), ("DELETE", False), ("POST", True), ("PUT", True)])
def test_a_method_that_usually_has_a_body_says_when_it_has_none(method: str, has_length: bool) -> None:
    async def use() -> str:
        async with LoopbackServer(ok(b"")) as server:
            await WebRig(granted=LOOPBACK).request(method, f"http://127.0.0.1:{server.port}/")
            return server.heads[0]

    assert ("content-length: 0" in asyncio.run(use())) is has_length


def test_a_head_request_has_no_body_whatever_is_said_of_it() -> None:
    async def use() -> HttpReply:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Encoding: gzip\r\n\r\n"
        async with LoopbackServer(answer) as server:
            return await WebRig(granted=LOOPBACK).request("HEAD", f"http://127.0.0.1:{server.port}/")

    assert asyncio.run(use()).body == b""


@pytest.mark.parametrize("status", [204, 304, 404, 500])
def test_any_status_is_an_answer(status: int) -> None:
    async def use() -> HttpReply:
        async with LoopbackServer(f"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n".encode()) as server:
            return await WebRig(granted=LOOPBACK).get(f"http://127.0.0.1:{server.port}/")

    assert asyncio.run(use()).status == status


def test_the_rules_may_take_their_time() -> None:
    async def use() -> int:
        async with LoopbackServer(ok(b"")) as server:
            rig = WebRig(granted=LOOPBACK)
            loop = asyncio.get_running_loop()

            async def slow(endpoint: Endpoint) -> None:
                # A human thinks for longer than the request may take.
                decided = loop.create_future()
                loop.call_later(0.1, decided.set_result, None)
                await decided

            rig.permit = slow  # type: ignore[method-assign] # a rule that asks
            return (await rig.get(f"http://127.0.0.1:{server.port}/", timeout_seconds=0.05)).status

    assert asyncio.run(use()) == 200


def test_the_longest_time_is_bounded() -> None:
    async def use() -> None:
        async def never(request: bytes, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        async with LoopbackServer(never) as server:
            rig = WebRig(granted=LOOPBACK, limits=HttpLimits(max_total_seconds=0.02))
            with pytest.raises(LimitExceededError, match=r"0\.02 s"):
                await rig.get(f"http://127.0.0.1:{server.port}/", timeout_seconds=9999)

    asyncio.run(use())


def test_so_many_requests_run_at_once_and_no_more() -> None:
    async def use() -> list[int]:
        released = asyncio.Event()
        running: list[int] = []

        async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
            running.append(len(running) + 1)
            if len(running) == 2:
                released.set()
            await released.wait()
            writer.write(ok(b""))

        async with LoopbackServer(answer) as server:
            rig = WebRig(granted=LOOPBACK, limits=HttpLimits(max_concurrent=2))
            most = 0

            async def one() -> None:
                nonlocal most
                await rig.get(f"http://127.0.0.1:{server.port}/")

            await asyncio.gather(*(one() for _ in range(5)))
            most = rig.client._places._value
        return [len(running), most]

    assert asyncio.run(use()) == [5, 2]


def test_a_refusal_gives_its_place_back() -> None:
    async def use() -> int:
        rig = WebRig(permitted=[], limits=HttpLimits(max_concurrent=1))
        for _ in range(3):
            with pytest.raises(PermissionDeniedError):
                await rig.get("http://a.example/")
        return rig.client._places._value

    assert asyncio.run(use()) == 1


@pytest.mark.parametrize("module", ["http_client", "egress_proxy"])
def test_without_its_package_it_names_the_extra(module: str, checkout: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['httpcore2'] = sys.modules['h11'] = None\n"
        "from mcp_server.errors.configuration_error import ConfigurationError\n"
        f"try:\n    import mcp_server.resources.network.{module}\n"
        "except ConfigurationError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, check=True, timeout=60, text=True
    )
    assert "install the extra [http-client]" in done.stdout
