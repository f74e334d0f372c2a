"""What the policy says of tools that are not what they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DefinitionRules:
    """Where the definitions of tools are locked, and what becomes of one that has changed.

    Args:
        lock: The absolute path of the lock file.
        drift: `refuse`: a server whose tools are others does not start, and offers none that changes later; `warn`: it
            says so in the log and in the audit.

    >>> DefinitionRules("/etc/desk.lock").drift
    'refuse'
    """

    lock: str
    drift: Literal["refuse", "warn"] = "refuse"
