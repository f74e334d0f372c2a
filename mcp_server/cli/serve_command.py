"""`mcp-server serve`."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "serve",
        help="serve an AI client over stdio",
        description="Serve the AI client that started this program, over standard input and output.",
    )
    add_server_options(parser)
    parser.add_argument("--stdio", action="store_true", help="serve over stdio, which is the default")
    parser.add_argument("--verbose", action="store_true", help="log more, to standard error")
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Serve until the client leaves.

    Raises:
        ConfigurationError: Standard input is a terminal, or the options describe no server.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if os.isatty(0):
        raise ConfigurationError(
            "standard input is a terminal. An AI client starts this command and talks to it through a pipe; "
            "to try a tool by hand use: mcp-server call TOOL key=value --folder DIR"
        )
    # Before any module of a user is imported: an import may print, and a child may read.
    streams = StdioStreams.take_over()
    reason = make_server(arguments).run_stdio(streams)
    return ExitCode.INTERRUPTED if reason in (StopReason.SIGNAL, StopReason.PARENT_DIED) else ExitCode.DONE
