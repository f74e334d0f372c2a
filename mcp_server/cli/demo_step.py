"""One step of the demonstration, as it went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoStep:
    """What was done, what was promised, and what happened.

    Args:
        action: What the client did.
        promise: What should happen: `allowed`, `refused`, `asked` or `found`.
        seen: What did happen, in the server's own words.
        is_kept: Whether the promise was kept.

    >>> DemoStep("read notes/plan.md", "allowed", "# Plan", True).is_kept
    True
    """

    action: str
    promise: str
    seen: str
    is_kept: bool
