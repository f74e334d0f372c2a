"""What the policy says of one module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModulePolicy:
    """Where a module's handlers run.

    Args:
        isolation: `process`, a sandboxed process for each call; `inline`, the server's own; None leaves it to the
            module.
        code: Further files and directories of the host that hold its code, for a process that has nothing else.

    >>> ModulePolicy("process").code
    ()
    """

    isolation: Literal["inline", "process"] | None = None
    code: tuple[str, ...] = ()
