"""`mcp-server serve`."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason

SYSTEMD_RUN: Final = "/usr/bin/systemd-run"
"""By its absolute path, for it is given this program's whole environment."""

SCOPE_VARIABLE: Final = "MCP_SERVER_SCOPE"
"""Says that this is the second start; a scope that does not help is not entered again and again."""


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "serve",
        help="serve an AI client over stdio",
        description="Serve the AI client that started this program, over standard input and output.",
    )
    add_server_options(parser)
    parser.add_argument("--stdio", action="store_true", help="serve over stdio, which is the default")
    parser.add_argument(
        "--scope",
        action="store_true",
        help="start in a systemd scope of its own, so that every sandbox gets a control group",
    )
    parser.add_argument("--verbose", action="store_true", help="log more, to standard error")
    parser.set_defaults(run=run)


def enter_scope(arguments: Sequence[str]) -> None:
    """Start again, in a scope of the user's systemd whose control group is this program's own; return when there.

    The process stays the same one for its parent, with the same streams. Moving a process into a group that others may
    not touch takes the service manager: a login's own processes are not its to move.

    Args:
        arguments: The command line, without the program's name.

    Raises:
        ConfigurationError: There is no systemd to ask.
    """
    if os.environ.get(SCOPE_VARIABLE) == "1":
        return
    if not os.access(SYSTEMD_RUN, os.X_OK):
        raise ConfigurationError("--scope needs systemd; leave it out, and see what `mcp-server doctor` says")
    own = [sys.executable, "-m", "mcp_server", *arguments]
    command = [SYSTEMD_RUN, "--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--", *own]
    os.execve(SYSTEMD_RUN, command, {**os.environ, SCOPE_VARIABLE: "1"})  # noqa: S606 - no shell


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
    if arguments.scope:
        enter_scope(sys.argv[1:])
    # Before any module of a user is imported: an import may print, and a child may read.
    streams = StdioStreams.take_over()
    reason = make_server(arguments).run_stdio(streams)
    return ExitCode.INTERRUPTED if reason in (StopReason.SIGNAL, StopReason.PARENT_DIED) else ExitCode.DONE
