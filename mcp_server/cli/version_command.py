"""`mcp-server version`."""

from __future__ import annotations

import platform
from argparse import Namespace
from typing import Any

from mcp_server import __version__
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    commands.add_parser("version", help="show the version and the protocol revisions served").set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Show the version."""
    registry = RevisionRegistry()
    revisions = [*registry.handshake_dates, *registry.modern_dates]
    if output.as_json:
        output.data({"version": __version__, "python": platform.python_version(), "revisions": revisions})
    else:
        output.line(f"mcp-server {__version__} on Python {platform.python_version()}")
        output.line(f"protocol revisions: {', '.join(revisions)}")
    return ExitCode.DONE
