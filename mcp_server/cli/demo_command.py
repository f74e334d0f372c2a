"""`mcp-server demo`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "demo",
        help="serve a folder to a real client, and show that the guards hold",
        description="Make a folder in a temporary directory, serve it over stdio to the official MCP client, and show "
        "step by step what is allowed, refused and recorded. Touches nothing else; needs the extra [client].",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Run the demonstration; the exit status tells whether every step went as promised."""
    # Imported here, for it needs the official client, which only this command does.
    from mcp_server.cli.demonstration import Demonstration

    return Demonstration(output=output).run()
