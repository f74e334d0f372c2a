"""Settings of sandboxes for tests, which run as root and as ordinary users."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

ACCOUNTS = (210_000, 210_063)
"""Whom sandboxes run as where the tests run as root."""


def sandbox_table(directory: Path, **more: Any) -> dict[str, Any]:
    """Return the policy's `[sandbox]`.

    Args:
        directory: A directory that the accounts can walk to, for the copies of files.
        **more: Further members.
    """
    table: dict[str, Any] = {"staging": str(directory / "staging"), **more}
    if os.getuid() == 0:
        table["accounts"] = list(ACCOUNTS)
    return table
