"""A module whose handler is called inline and apart."""

from __future__ import annotations

from mcp_server.tools.module import Module

handlers = Module("handlers")


@handlers.tool
async def total(numbers: list[int]) -> int:
    """Add numbers."""
    return sum(numbers)
