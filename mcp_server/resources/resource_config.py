"""The resource tier's settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.resources.blocking_pool import MAX_CALLS_PER_OWNER, MAX_THREADS
from mcp_server.resources.isolation.sandbox_config import SandboxConfig

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.file_limits import FileLimits
    from mcp_server.resources.network.egress_limits import EgressLimits
    from mcp_server.resources.network.http_limits import HttpLimits


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """Settings of the resource tier.

    Args:
        state_directory: The server's own state, which no client's folder may contain or lie in.
        file_limits: Bounds of single file operations, None for the defaults.
        max_threads: Threads for what blocks.
        max_calls_per_client: Blocking calls of one client at once.
        http_limits: Bounds of single requests over HTTP, None for the defaults.
        egress_limits: Bounds of all connections of one sandboxed run, None for the defaults.
        authorities: Certificates in PEM that TLS believes beside those of the machine.
        sandbox: What the operator says about sandboxes.

    >>> ResourceConfig().max_threads
    32
    """

    state_directory: Path | None = None
    file_limits: FileLimits | None = None
    max_threads: int = MAX_THREADS
    max_calls_per_client: int = MAX_CALLS_PER_OWNER
    http_limits: HttpLimits | None = None
    egress_limits: EgressLimits | None = None
    authorities: tuple[str, ...] = ()
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
