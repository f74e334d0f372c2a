"""`mcp-server call`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.local_session import with_client
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.cli.tool_arguments import read_pairs, typed_values
from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.unknown_name_error import UnknownNameError


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "call",
        help="call one tool by hand, through the whole chain",
        description="Call one tool as the client would, through the whole chain, and print its result. "
        "Values are JSON where the tool's schema wants no text: count=3 flag=true list='[1,2]'.",
    )
    parser.add_argument("tool", metavar="TOOL")
    parser.add_argument("arguments", metavar="key=value", nargs="*")
    add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Call the tool; the exit status tells whether it succeeded.

    Raises:
        ConfigurationError: An argument is not of the form key=value, or there is no such tool.
    """
    server = make_server(arguments)
    pairs = read_pairs(arguments.arguments)

    async def call(client: MemoryClient) -> dict[str, Any]:
        given = typed_values(pairs, _schema(server, arguments.tool))
        return await client.request("tools/call", {"name": arguments.tool, "arguments": given})

    try:
        result = with_client(server, call)
    except ProtocolError as error:
        output.error(f"{error.message}; mcp-server tools lists those this client may use")
        return ExitCode.NO
    if output.as_json:
        output.data(result)
    else:
        for block in result["content"]:
            output.line(block["text"] if block["type"] == "text" else json.dumps(block, ensure_ascii=False))
    return ExitCode.NO if result.get("isError") else ExitCode.DONE


def _schema(server: MCPServer, tool: str) -> Mapping[str, Any]:
    try:
        return server.catalog.tool(tool).input_schema
    except UnknownNameError:
        return {}
