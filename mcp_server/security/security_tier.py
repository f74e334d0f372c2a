"""The front door of the security tier."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count

from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.call_watch import CallWatch
from mcp_server.security.client_manager import ClientManager
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.security_chain import SecurityChain
from mcp_server.security.security_config import SecurityConfig


class SecurityTier:
    """Builds the chain and its managers from the configuration and the resource tier.

    Args:
        config: Settings.
        resources: The tier below.
        clock: Monotonic seconds.
    """

    def __init__(
        self, *, config: SecurityConfig, resources: ResourceTier, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resources = resources
        self.audit = AuditLogger(directory=config.audit_directory, durability=config.durability)
        self.permissions = PermissionManager(policy=config.policy)
        self.clients = ClientManager(permissions=self.permissions, open_files=self._open_files, clock=clock)
        self.watch = CallWatch(clock=clock)
        self.chain = SecurityChain(
            authentication=AuthenticationManager(permissions=self.permissions),
            permissions=self.permissions,
            clients=self.clients,
            consent=ConsentManager(report=self.audit.append),
            audit=self.audit,
            watch=self.watch,
            pool=resources.pool,
            new_id=self._ids(),
            clock=clock,
            default_timeout_seconds=config.default_timeout_seconds,
        )

    def close(self) -> None:
        """Close the clients' folders and the audit log."""
        self.clients.close()
        self.audit.close()

    def _open_files(self, profile: ClientProfile) -> FileSystemManager | None:
        limits = profile.limits
        roots = [
            RootConfig(folder, is_global=is_global, max_bytes=limits.workspace_bytes, max_files=limits.workspace_files)
            for folders, is_global in ((profile.folders, False), (profile.global_folders, True))
            for folder in folders
        ]
        return self._resources.open_files(roots)

    @staticmethod
    def _ids() -> Callable[[], str]:
        """Return a maker of call ids: random for each run of the server, then counted, so that they sort."""
        prefix = os.urandom(4).hex()
        numbers = count(1)
        return lambda: f"{prefix}-{next(numbers)}"
