"""Options that several commands share, and the server they describe."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mcp_server import __version__
from mcp_server.core.constants import DEFAULT_CLIENT
from mcp_server.core.mcp_server import MCPServer
from mcp_server.tools.modules.filesystem_module import FilesystemModule


def add_server_options(parser: ArgumentParser) -> None:
    """Add what says which server is meant: folders or policy, client, state, modules."""
    parser.add_argument(
        "--folder",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder the client may read, list and write inside, and nothing else; may be repeated",
    )
    parser.add_argument("--policy", metavar="FILE", help="a policy file, instead of --folder")
    parser.add_argument(
        "--client",
        default=DEFAULT_CLIENT,
        metavar="NAME",
        help="the client's name in the policy (default: %(default)s)",
    )
    parser.add_argument("--state", metavar="DIR", help="where audit logs live (default: the user's state directory)")
    parser.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="NAME",
        help="a Python module with further tools, as package.module; may be repeated",
    )
    parser.add_argument(
        "--durability",
        choices=("process", "disk"),
        default="process",
        help="what an audit record survives: the death of the process, or of the machine (default: %(default)s)",
    )


def make_server(arguments: Namespace) -> MCPServer:
    """Return the server that the options describe, with the filesystem module.

    Raises:
        ConfigurationError: They describe none.
    """
    server = MCPServer(
        "mcp-server",
        version=__version__,
        policy=arguments.policy,
        folders=arguments.folder,
        client=arguments.client,
        state=arguments.state,
        durability=arguments.durability,
    )
    server.register_module(FilesystemModule())
    for name in arguments.module:
        server.register_module(name)
    return server
