"""How a program learns that it runs in a process of its own, for one handler."""

from __future__ import annotations

from typing import Final

APART_VARIABLE: Final = "MCP_SERVER_APART"
"""An environment variable that is set there, and nowhere else."""
