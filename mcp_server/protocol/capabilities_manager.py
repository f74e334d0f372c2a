"""What the server says it can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.tools.catalog import Catalog


class CapabilitiesManager:
    """Derives the declared capabilities from what the modules offer; revisions take away what they do not know.

    Args:
        catalog: What the modules offer.
        server_info: The server's Implementation: name, version, perhaps title and more.
        instructions: How to use the server, for the model.
    """

    def __init__(self, *, catalog: Catalog, server_info: Mapping[str, Any], instructions: str | None) -> None:
        self._catalog = catalog
        self.server_info = server_info
        self._instructions = instructions

    @property
    def instructions(self) -> str | None:
        """How to use the server: its own words, or else those of its modules, one paragraph each."""
        if self._instructions is not None:
            return self._instructions
        return "\n\n".join(each.instructions for each in self._catalog.modules if each.instructions) or None

    @property
    def declared(self) -> Mapping[str, Any]:
        """The ServerCapabilities, in the newest shape.

        All three lists are declared even while empty: a module may come later, and the list then changes.
        """
        declared: dict[str, Any] = {
            "tools": {"listChanged": True},
            "resources": {"subscribe": True, "listChanged": True},
            "prompts": {"listChanged": True},
            "logging": {},
        }
        if self._catalog.has_completions():
            declared["completions"] = {}
        return declared
