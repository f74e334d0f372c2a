"""The security tier's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy


@dataclass(frozen=True, slots=True)
class SecurityConfig:
    """Settings of the security tier.

    Args:
        policy: The policy to begin with.
        audit_directory: Where the audit log is written.
        durability: What an audit record waits for.
        state_directory: Where the list of what was revoked lives; None for no list.
        uses_directory: Where the uses of counted grants are kept; None forgets them when the server ends.

    >>> SecurityConfig(policy=Policy.for_folders([]), audit_directory=Path("audit")).durability
    <Durability.PROCESS: 'process'>
    """

    policy: Policy
    audit_directory: Path
    durability: Durability = Durability.PROCESS
    state_directory: Path | None = None
    uses_directory: Path | None = None
