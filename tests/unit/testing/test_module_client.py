from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcp_server.client.memory_client import MODERN
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.tool_error import ToolError
from mcp_server.security.client_context import ClientContext
from mcp_server.testing import client_for
from mcp_server.tools.module import Module


def tools() -> Module:
    module = Module("tools")

    @module.tool
    async def text() -> str:
        """Text."""
        return "plain"

    @module.tool
    async def lines() -> list[Any]:
        """Two blocks."""
        return ["one", "two"]

    @module.tool
    async def number() -> dict[str, int]:
        """Structured."""
        return {"n": 3}

    @module.tool
    async def fails() -> str:
        """Fail."""
        raise ToolError("no such thing")

    @module.tool
    async def progress(client: ClientContext) -> str:
        """Tell."""
        client.log.info("hello")
        return "told"

    @module.tool(plain=["path"])
    async def echo(path: str) -> str:
        """Echo."""
        return path

    return module


def test_call_returns_the_structured_value_or_else_the_text() -> None:
    async def work() -> None:
        async with client_for(tools()) as client:
            assert await client.call("text") == "plain"
            assert await client.call("number") == {"n": 3}
            assert await client.call("echo", path=Path("a/b")) == "a/b"

    asyncio.run(work())


def test_call_fails_loudly_when_the_tool_does() -> None:
    async def work() -> None:
        async with client_for(tools()) as client:
            with pytest.raises(AssertionError, match="fails failed: no such thing"):
                await client.call("fails")
            with pytest.raises(ProtocolError, match="unknown tool"):
                await client.call("nosuch")

    asyncio.run(work())


def test_result_is_the_protocols_own() -> None:
    async def work() -> None:
        async with client_for(tools()) as client:
            result = await client.result("fails")
            assert result["isError"]
            assert result["content"][0]["text"] == "no such thing"

    asyncio.run(work())


def test_denied_wants_a_refusal() -> None:
    async def work() -> None:
        async with client_for(tools()) as client:
            with pytest.raises(AssertionError, match="was not refused: plain"):
                await client.denied("text")
            refusal = await client.denied("nosuch")
            assert (refusal.code, refusal.permission) == (-32602, None)

    asyncio.run(work())


def test_other_requests_and_notifications_are_within_reach() -> None:
    async def work() -> None:
        async with client_for(tools(), revision="2025-11-25") as client:
            assert len((await client.request("tools/list"))["tools"]) == 6
            await client.call("progress")
            assert [each["method"] for each in client.notifications] == ["notifications/message"]

    asyncio.run(work())
    assert MODERN == "2026-07-28"


def test_the_audit_grows_while_the_test_runs() -> None:
    async def work() -> None:
        async with client_for(tools()) as client:
            await client.call("text")
            before = len(client.audit)
            await client.call("text")
            assert [each.kind for each in client.audit[before:]] == ["call.intent", "call.done"]
            assert all(each.decision == "allow" for each in client.audit)

    asyncio.run(work())
