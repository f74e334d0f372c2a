"""The server that is called a hundred thousand times: a bit of everything a module can offer.

Arguments: the folder it serves, and where its audit goes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from typing import Any

from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.tools.module import Module
from mcp_server.transport.stdio_streams import StdioStreams

CLIENT = "soak"
PROMPTS = 1_100
"""More than a page, so that lists have cursors."""

NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
TEXT: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
PATH: dict[str, Any] = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
NUMBERS: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}
READ_ONLY = {"readOnlyHint": True}

soak = Module("soak")


async def handle_echo(client: ClientContext, params: dict[str, str]) -> str:
    return params["text"]


async def handle_add(client: ClientContext, params: dict[str, Any]) -> dict[str, int]:
    return {"sum": params["a"] + params["b"]}


async def handle_read_file(client: ClientContext, params: dict[str, Any]) -> str:
    return await client.files.read_text(params["path"])


async def handle_fail(client: ClientContext, params: dict[str, Any]) -> str:
    raise RuntimeError("a secret of the module")


def handle_blocking(client: ClientContext, params: dict[str, str]) -> str:
    return params["text"].upper()


async def handle_wait(client: ClientContext, params: dict[str, Any]) -> str:
    await asyncio.Event().wait()
    return "never"


async def handle_steps(client: ClientContext, params: dict[str, Any]) -> str:
    for step in range(1, 4):
        client.progress(step, 3)
        await asyncio.sleep(0)
    return "done"


async def handle_state(client: ClientContext, params: dict[str, Any]) -> dict[str, int]:
    """Tell what the process holds; the call that asks is among it."""
    # A descriptor in a circle that waits for the collector is not left behind.
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


@soak.resource("soak://page/{number}")
async def page(number: str) -> str:
    return f"page {number}"


def offer() -> None:
    """Register the tools and the prompts."""
    # An intent is recorded for what may have effects: `add` and whatever else does not say that it only reads.
    soak.register_tool(name="echo", description="Echo.", input_schema=TEXT, annotations=READ_ONLY, handler=handle_echo)
    soak.register_tool(name="add", description="Add.", input_schema=NUMBERS, handler=handle_add)
    soak.register_tool(
        name="read_file",
        description="Read.",
        input_schema=PATH,
        annotations=READ_ONLY,
        permissions=[Permission(PermissionType.FILE_READ, argument="path")],
        handler=handle_read_file,
    )
    for name, schema, handler in (
        ("fail", NOTHING, handle_fail),
        ("blocking", TEXT, handle_blocking),
        ("wait", NOTHING, handle_wait),
        ("wait_not", NOTHING, handle_wait),
        ("steps", NOTHING, handle_steps),
        ("state", NOTHING, handle_state),
    ):
        soak.register_tool(
            name=name,
            description=f"{name}.",
            input_schema=schema,
            annotations=READ_ONLY if name == "steps" else None,
            handler=handler,
        )
    for number in range(PROMPTS):

        async def prompt(topic: str = "nothing") -> str:
            return f"Tell of {topic}."

        soak.prompt(name=f"p{number}", description="A prompt.")(prompt)


def main(folder: str, state: str) -> None:
    """Serve over stdio until the client leaves."""
    streams = StdioStreams.take_over()
    granted = Policy.for_folders([folder], client=CLIENT).clients[CLIENT]
    limits = ClientLimits(calls_per_minute=10**9, identical_calls=10**9, concurrent_calls=1024)
    profile = ClientProfile(CLIENT, folders=granted.folders, rules=granted.rules, limits=limits)
    offer()
    server = MCPServer("soak", policy=Policy({CLIENT: profile}), client=CLIENT, state=state)
    server.register_module(soak)
    server.run_stdio(streams)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
