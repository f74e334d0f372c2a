"""What a door to the network asks beside."""

from __future__ import annotations

from typing import Protocol

from mcp_server.security.access_gate import AccessGate
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType


class NetworkGate(AccessGate, Protocol):
    """A gate that also says what the policy thinks of the address behind a name."""

    def stance(self, permission_type: PermissionType, resource: str) -> Effect | None:
        """Return what the policy says of something that lies behind a permitted resource, and put it on record.

        Nobody is asked, and what the tool declared does not count: a tool names hosts, and only the operator knows
        where they are.

        Args:
            permission_type: The kind of right.
            resource: What lies behind: the host and port of an address.

        Returns:
            The effect of the rule that decides; None where no rule speaks of it.

        Raises:
            PermissionDeniedError: The call has ended.
        """
