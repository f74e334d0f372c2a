"""Who is told when a module changes after its registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mcp_server.tools.module import Module


class ModuleObserver(Protocol):
    """What a module needs of a catalog; the module knows no more of it."""

    def check_addition(self, module: Module, kind: str, key: str) -> None:
        """Refuse a name that another module has.

        Raises:
            ConfigurationError: It is taken.
        """

    def module_changed(self, module: Module, kind: str) -> None:
        """Take note that the module's `tools`, `prompts` or `resources` are others now."""

    def resource_updated(self, uri: str) -> None:
        """Pass on that a resource reads differently."""
