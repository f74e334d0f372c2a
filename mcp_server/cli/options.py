"""Options that several commands share, and the server they describe."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mcp_server import __version__
from mcp_server.core.config_loader import ConfigLoader
from mcp_server.core.constants import DEFAULT_CLIENT, DEFAULT_NAME
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.permissions.permission_type import PermissionType
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
        metavar="NAME",
        help=f"the client's name in the policy (default: {DEFAULT_CLIENT})",
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
        help="what an audit record survives: the death of the process, or of the machine (default: process)",
    )
    parser.add_argument(
        "--unsafe-allow-unsandboxed",
        action="store_true",
        help='execute code that nothing contains, where the policy says min_tier = "none" and there is no sandbox',
    )
    parser.add_argument("--config", metavar="FILE", help="a TOML file with these settings; options given here win")


def make_server(arguments: Namespace) -> MCPServer:
    """Return the server that the options describe, with the modules that ship and can do something here.

    Raises:
        ConfigurationError: They describe none.
    """
    settings = {} if arguments.config is None else ConfigLoader().read_file(arguments.config)
    if arguments.policy or arguments.folder:
        # One way to say what is granted: the command line's replaces the file's.
        settings.pop("policy", None)
        settings.pop("folders", None)
    server = MCPServer(
        settings.get("name", DEFAULT_NAME),
        version=__version__,
        title=settings.get("title"),
        instructions=settings.get("instructions"),
        policy=arguments.policy or settings.get("policy"),
        folders=arguments.folder or settings.get("folders", ()),
        client=arguments.client or settings.get("client"),
        state=arguments.state or settings.get("state"),
        durability=arguments.durability or settings.get("durability", "process"),
        unsafe_allow_unsandboxed=arguments.unsafe_allow_unsandboxed,
    )
    server.register_module(FilesystemModule())
    policy = server.config.policy
    if policy.grants(PermissionType.FILE_READ):
        from mcp_server.tools.modules.archive_module import ArchiveModule

        server.register_module(ArchiveModule())
    if policy.grants(PermissionType.CODE_EXECUTION) or policy.grants(PermissionType.SYSTEM_COMMAND):
        from mcp_server.tools.modules.execution_module import ExecutionModule

        server.register_module(ExecutionModule())
    if policy.sandbox.sudo.is_enabled:
        from mcp_server.tools.modules.root_action_module import RootActionModule

        server.register_module(RootActionModule())
    for name in [*settings.get("modules", ()), *arguments.module]:
        server.register_module(name)
    return server
