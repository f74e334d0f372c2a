"""Numbers and names that only `core` reads; a limit lives beside the class it limits."""

from __future__ import annotations

from typing import Final

DEFAULT_NAME: Final = "mcp-server"
DEFAULT_CLIENT: Final = "local"

ENVIRONMENT_PREFIX: Final = "MCP_SERVER_"
"""Every environment variable that is read begins with it."""

MAX_AUDIT_STREAMS: Final = 64
"""Servers of one client that may run at once, each writing an audit log of its own."""

POLICY_POLL_SECONDS: Final = 1.0
"""How often a policy file is looked at: one `stat`, and a change is in force within a second."""
