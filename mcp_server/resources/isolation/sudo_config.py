"""What the operator says about root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_server.resources.isolation.root_action import RootAction


@dataclass(frozen=True, slots=True)
class SudoConfig:
    """The actions that may be done as root, by name; none, unless the operator switched them on.

    Args:
        is_enabled: Whether there are any at all.
        actions: The actions, by name.

    >>> SudoConfig().is_enabled
    False
    """

    is_enabled: bool = False
    actions: Mapping[str, RootAction] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON members."""
        return {
            "actions": {name: action.to_json() for name, action in sorted(self.actions.items())},
            "enabled": self.is_enabled,
        }
