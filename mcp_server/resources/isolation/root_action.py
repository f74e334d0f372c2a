"""One thing that a client may have done as root."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from mcp_server.resources.isolation.argument_form import ArgumentForm

MAX_ACTION_SECONDS: Final = 3600
"""The longest that a policy can say, in seconds; no call runs longer."""

MAX_CALLS_PER_HOUR: Final = 600
"""The most that a policy can say: beyond it a number is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class RootAction:
    """A name, the one file it stands for, and the one form of its arguments; the client has nothing but the slots.

    A slot takes a whole number, a name, or one of the words that are written there: what a program of root's would take
    for a path, or for several arguments, fits none of them.

    Args:
        name: What clients call it, and policies.
        program: The file's absolute path.
        form: The arguments.
        timeout_seconds: How long it may take.
        must_confirm: Whether a human confirms each single run, in the client's own dialogue.
        calls_per_hour: How often it may be begun within an hour, by all clients together.

    Raises:
        ValueError: The path is not absolute, or a slot is of another type.

    >>> restart = RootAction("restart", "/usr/bin/systemctl", ArgumentForm("restart {unit:nginx|redis}"))
    >>> restart.command({"unit": "redis"})
    ('/usr/bin/systemctl', 'restart', 'redis')
    """

    name: str
    program: str
    form: ArgumentForm = field(default_factory=lambda: ArgumentForm(""))
    timeout_seconds: float = 60.0
    must_confirm: bool = True
    calls_per_hour: int = 6

    def __post_init__(self) -> None:
        if not self.program.startswith("/") or os.path.normpath(self.program) != self.program:
            raise ValueError(f"the program of the action {self.name!r} must be named by its absolute path")
        if self.program.startswith("//") or not self.program.isprintable():
            raise ValueError(f"the program of the action {self.name!r} must be named by its plain path")
        for slot, kind in self.form.slots:
            if kind not in ("int", "name") and ("|" not in kind or kind.endswith("...")):
                raise ValueError(f"the slot {slot!r} of a root action must be int, name, or words such as on|off")

    def command(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return program and arguments with these values in the slots.

        Raises:
            ValueError: They do not fit; it names the slot.
        """
        return (self.program, *self.form.fill(values))

    def commands(self) -> Iterator[tuple[str, ...]] | None:
        """Return every command that it can be, None where a slot takes more than words that are written there."""
        slots = self.form.slots
        if any("|" not in kind for _, kind in slots):
            return None
        names = [name for name, _ in slots]
        choices = product(*(kind.split("|") for _, kind in slots))
        return (self.command(dict(zip(names, each, strict=True))) for each in choices)

    def to_json(self) -> dict[str, Any]:
        """Return the action as JSON members."""
        return {
            "arguments": self.form.text,
            "calls_per_hour": self.calls_per_hour,
            "confirm": self.must_confirm,
            "program": self.program,
            "timeout_seconds": self.timeout_seconds,
        }
