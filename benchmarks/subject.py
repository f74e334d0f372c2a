"""A server to be measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Subject:
    """How one server is started: a module of this package that serves `echo`, `add` and `read_file` over stdio.

    Args:
        name: Its name in the report.
        module: The Python module to run.
        settings: Environment variables, beside those of this process.
    """

    name: str
    module: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str]:
        """Return the command that serves over stdio."""
        return [sys.executable, "-m", self.module, "--stdio"]

    def environment(self, *, data: Path, tools: int = 3) -> dict[str, str]:
        """Return the environment of the server.

        Args:
            data: The folder that `read_file` reads.
            tools: How many tools it registers in all.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
        given = {"BENCH_DATA": str(data), "BENCH_TOOLS": str(tools), "PYTHONPATH": str(CHECKOUT)}
        return {**inherited, **self.settings, **given}
