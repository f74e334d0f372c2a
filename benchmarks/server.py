"""The server under measurement: three tools, as many idle ones as asked for, and the whole chain on.

Environment: `BENCH_DATA` names the folder `read_file` may read; `BENCH_TOOLS` how many tools there are in all.
Arguments: `--stdio`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.tools.module import Module
from mcp_server.tools.tool_result import ToolResult
from mcp_server.transport.stdio_streams import StdioStreams

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

CLIENT = "bench"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def schema(**properties: Any) -> dict[str, Any]:
    """Return an object schema in which everything is required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


async def echo(client: ClientContext, params: dict[str, str]) -> str:
    """Return the text."""
    return params["text"]


async def add(client: ClientContext, params: dict[str, Any]) -> dict[str, int]:
    """Return the sum."""
    return {"result": params["a"] + params["b"]}


async def read_file(client: ClientContext, params: dict[str, Any]) -> str:
    """Return the file's text."""
    return await client.files.read_text(params["path"])


async def idle(client: ClientContext, params: dict[str, Any]) -> ToolResult:
    """Do nothing."""
    return ToolResult()


def bench_module(tools: int) -> Module:
    """Return the module with so many tools in all."""
    module = Module("bench")
    module.register_tool(name="echo", description="Echo.", input_schema=schema(text=TEXT), permissions=[], handler=echo)
    module.register_tool(
        name="add",
        description="Add.",
        input_schema=schema(a=NUMBER, b=NUMBER),
        output_schema=schema(result=NUMBER),
        permissions=[],
        handler=add,
    )
    module.register_tool(
        name="read_file",
        description="Read a file.",
        input_schema=schema(path=TEXT),
        permissions=[Permission(PermissionType.FILE_READ, argument="path")],
        handler=read_file,
    )
    for number in range(tools - 3):
        module.register_tool(
            name=f"filler_{number}",
            description=f"Filler tool number {number}, which does nothing but take its place in the list.",
            input_schema=schema(a=TEXT, b=NUMBER),
            permissions=[],
            handler=idle,
        )
    return module


def bench_server(*, data: str, state: str, tools: int) -> MCPServer:
    """Return the server: a policy as any other, with limits that a load generator does not reach.

    Args:
        data: The folder `read_file` may read.
        state: Where the audit is written.
        tools: How many tools there are in all.
    """
    granted = Policy.for_folders([data], client=CLIENT).clients[CLIENT]
    limits = ClientLimits(calls_per_minute=10**9, identical_calls=10**9, concurrent_calls=1024)
    profile = ClientProfile(CLIENT, folders=granted.folders, rules=granted.rules, limits=limits)
    server = MCPServer("bench", policy=Policy({CLIENT: profile}), client=CLIENT, state=state)
    server.register_module(bench_module(tools))
    return server


def main() -> None:
    """Serve over stdio."""
    streams = StdioStreams.take_over()
    data = os.environ.get("BENCH_DATA") or "/tmp"
    tools = int(os.environ.get("BENCH_TOOLS", "3"))
    # By hand, for `tempfile` takes four milliseconds to import, and no real server needs it.
    state = f"{os.environ.get('TMPDIR', '/tmp')}/mcp-server-bench-{os.getpid()}-{os.urandom(4).hex()}"
    os.mkdir(state, 0o700)
    try:
        bench_server(data=data, state=state, tools=tools).run_stdio(streams)
    finally:
        import shutil

        shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    main()
