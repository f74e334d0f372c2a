"""A server in this process, for one command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.mcp_server import MCPServer

T = TypeVar("T")


def with_client(server: MCPServer, work: Callable[[MemoryClient], Awaitable[T]]) -> T:
    """Open `server`, let `work` use it through the whole chain, close it, and return what `work` returned.

    Raises:
        ConfigurationError: The server cannot be opened.
    """

    async def session() -> T:
        lifecycle = server.lifecycle()
        await lifecycle.open()
        client = MemoryClient(handler=lifecycle.protocol.handler, profile=server.config.client)
        try:
            return await work(client)
        finally:
            await client.close()
            await lifecycle.close("command ended")

    return asyncio.run(session())
