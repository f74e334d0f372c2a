"""All settings of a server in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.core.constants import DEFAULT_CLIENT, DEFAULT_NAME
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy
from mcp_server.transport.transport_config import TransportConfig

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.file_limits import FileLimits


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `MCPServer` is told, checked and complete.

    Args:
        name: The server's name.
        version: Its version.
        title: Its name for humans.
        instructions: How to use it, for the model.
        policy: What each client may do.
        policy_path: The file the policy was read from, watched for changes; None for a policy made in memory.
        client: The client at the other end of stdio.
        state_directory: Where audit logs live; made if missing, mode 0700.
        durability: What an audit record waits for.
        file_limits: Bounds of file operations, None for the defaults.
        transport: Bounds of the transport.
        is_apart: Whether this is a process of its own for one handler, in which nothing is served.

    >>> ServerConfig(policy=Policy.for_folders([]), state_directory=Path("state")).client
    'local'
    """

    policy: Policy
    state_directory: Path
    name: str = DEFAULT_NAME
    version: str = "0"
    title: str | None = None
    instructions: str | None = None
    policy_path: Path | None = None
    client: str = DEFAULT_CLIENT
    durability: Durability = Durability.PROCESS
    file_limits: FileLimits | None = None
    transport: TransportConfig = field(default_factory=TransportConfig)
    is_apart: bool = False
