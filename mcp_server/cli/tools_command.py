"""`mcp-server tools`."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Final

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.local_session import with_client
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.client.memory_client import MemoryClient

CHARACTERS_PER_TOKEN: Final = 4
"""A rule of thumb for English and JSON, good to about a quarter; each model has a tokenizer of its own."""


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "tools",
        help="list the tools a client sees, with their permissions and what they cost it",
        description="List the tools the client sees, the permissions each declares, and about how many tokens of the "
        "model's context its definition takes.",
    )
    add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """List the tools."""
    server = make_server(arguments)
    tools = with_client(server, _list)
    rows = []
    total = 0
    for tool in tools:
        cost = -(-len(json.dumps(tool)) // CHARACTERS_PER_TOKEN)
        total += cost
        permissions = [str(each) for each in server.catalog.tool(tool["name"]).permissions]
        first_line = tool.get("description", "").split("\n")[0]
        rows.append((tool["name"], permissions if output.as_json else "\n".join(permissions), cost, first_line))
    output.table(("tool", "permissions", "tokens", "description"), rows)
    output.line(f"{len(tools)} tools, about {total} tokens of the model's context")
    return ExitCode.DONE


async def _list(client: MemoryClient) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    params: dict[str, Any] = {}
    while True:
        page = await client.request("tools/list", params)
        tools += page["tools"]
        if "nextCursor" not in page:
            return tools
        params = {"cursor": page["nextCursor"]}
