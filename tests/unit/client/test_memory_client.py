from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server.client.memory_client import MAX_ROUNDS, MODERN, Answerer, MemoryClient
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.security.client_context import ClientContext
from mcp_server.tools.module import Module

LEGACY = "2025-11-25"


def module_that_asks() -> Module:
    module = Module("asks")

    @module.tool
    async def ask(client: ClientContext) -> str:
        """Ask twice."""
        first = await client.ask("First?", {"value": str})
        second = await client.ask("Second?", {"value": str})
        return f"{first['value']} {second['value']}"

    @module.tool
    async def ask_for_ever(client: ClientContext) -> str:
        """Ask until the client has enough."""
        for number in range(100):
            await client.ask(f"Number {number}?", {"value": str})
        return "never"

    @module.tool
    async def hold() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return "never"

    @module.tool
    async def tell(client: ClientContext) -> str:
        """Log."""
        client.log.error("news")
        return "told"

    return module


@asynccontextmanager
async def connected(
    directory: Path, *, revision: str = MODERN, answer: Answerer | None = None
) -> AsyncIterator[MemoryClient]:
    server = MCPServer("test", state=directory / "state")
    server.register_module(module_that_asks())
    lifecycle = server.lifecycle()
    await lifecycle.open()
    client = MemoryClient(handler=lifecycle.protocol.handler, profile="local", revision=revision, answer=answer)
    try:
        await client.start()
        yield client
    finally:
        await client.close()
        await lifecycle.close("test ended")


async def says(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"action": "accept", "content": {"value": params["message"].rstrip("?").lower()}}


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_questions_of_either_era_are_answered_on_the_way(tmp_path: Path, revision: str) -> None:
    async def work() -> None:
        async with connected(tmp_path, revision=revision, answer=says) as client:
            result = await client.request("tools/call", {"name": "ask", "arguments": {}})
            assert result["content"][0]["text"] == "first second"

    asyncio.run(work())


def test_a_client_gives_up_on_a_server_that_asks_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        async with connected(tmp_path, answer=says) as client:
            with pytest.raises(ProtocolError, match=f"more than {MAX_ROUNDS} times"):
                await client.request("tools/call", {"name": "ask_for_ever", "arguments": {}})

    asyncio.run(work())


def test_a_client_without_answers_declares_that_it_has_none(tmp_path: Path) -> None:
    async def work() -> None:
        async with connected(tmp_path) as client:
            assert client.capabilities == {}
            with pytest.raises(ProtocolError):
                await client.request("tools/call", {"name": "ask", "arguments": {}})

    asyncio.run(work())


def test_an_error_is_raised_with_its_code_and_data(tmp_path: Path) -> None:
    async def work() -> None:
        async with connected(tmp_path) as client:
            with pytest.raises(ProtocolError) as caught:
                await client.request("no/such/method")
            assert caught.value.code == -32601

    asyncio.run(work())


def test_a_question_it_refuses_is_answered_with_an_error(tmp_path: Path) -> None:
    async def refuses(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ProtocolError(-32000, "not today")

    async def work() -> None:
        async with connected(tmp_path, revision=LEGACY, answer=refuses) as client:
            result = await client.request("tools/call", {"name": "ask", "arguments": {}})
            assert result["isError"]

    asyncio.run(work())


def test_notifications_are_kept(tmp_path: Path) -> None:
    async def work() -> None:
        async with connected(tmp_path, revision=LEGACY) as client:
            await client.request("tools/call", {"name": "tell", "arguments": {}})
            assert [each["params"]["data"] for each in client.notifications] == ["news"]

    asyncio.run(work())


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_a_request_that_is_open_when_the_client_leaves_ends(tmp_path: Path, revision: str) -> None:
    async def work() -> None:
        async with connected(tmp_path, revision=revision) as client:
            waiting = asyncio.ensure_future(client.request("tools/call", {"name": "hold", "arguments": {}}))
            await asyncio.sleep(0)
            await client.close()
            with pytest.raises(MCPServerError, match="has left"):
                async with asyncio.timeout(10):
                    await waiting

    asyncio.run(work())
