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

KEPT_BLOCK_BYTES: Final = 8 << 20
"""Blocks up to here are used again; every block that a message of the longest kind (4 MiB) is made of is smaller."""

KEPT_IDLE_BYTES: Final = 16 << 20
"""How much free memory the process may hold on to between large messages."""

KEEP_AFTER_SECONDS: Final = 1.0
"""When that is asked for: the way to the first answers is kept free of what it takes to ask."""
