"""The official package's server with the same three tools, in its most favourable settings.

Asynchronous functions (a plain one costs it a thread a call), logging at ERROR, no structured duplicate of texts.
Environment: `BENCH_TOOLS` says how many tools there are in all. Arguments: `--stdio`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("bench", log_level="ERROR")


@server.tool(structured_output=False)
async def echo(text: str) -> str:
    """Echo."""
    return text


@server.tool()
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@server.tool(structured_output=False)
async def read_file(path: str) -> str:
    """Read a file."""
    return Path(path).read_text(encoding="utf-8")  # noqa: ASYNC240 - what most servers do, and faster than a thread


def filler(number: int) -> Callable[[str, int], Awaitable[str]]:
    """Return one of the tools that only take their place in the list."""

    async def idle(a: str, b: int) -> str:
        return a

    idle.__name__ = idle.__qualname__ = f"filler_{number}"
    idle.__doc__ = f"Filler tool number {number}, which does nothing but take its place in the list."
    return idle


def main() -> None:
    """Serve over stdio."""
    for number in range(int(os.environ.get("BENCH_TOOLS", "3")) - 3):
        server.tool(structured_output=False)(filler(number))
    server.run("stdio")


if __name__ == "__main__":
    main()
