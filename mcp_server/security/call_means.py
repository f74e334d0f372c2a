"""What the chain lends to every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.permission_manager import PermissionManager

if TYPE_CHECKING:
    from mcp_server.resources.blocking_pool import BlockingPool
    from mcp_server.resources.network.http_client import HttpClient
    from mcp_server.resources.sandbox_manager import SandboxManager


class CallMeans(NamedTuple):
    """The same for all calls of a server: what decides on their doors, and what is behind these.

    Args:
        permissions: The policy in force.
        consent: Asks humans.
        pool: Threads for what blocks.
        sandboxes: What contains code and programs.
        open_http: Makes a client over HTTP for one client's handlers; None where nothing is connected to.
    """

    permissions: PermissionManager
    consent: ConsentManager
    pool: BlockingPool
    sandboxes: SandboxManager
    open_http: Callable[[str], HttpClient] | None = None
