"""Looking at a machine's sandbox from both sides."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from mcp_server.resources.isolation.canaries import canaries
from mcp_server.resources.isolation.diagnosis import Diagnosis

if TYPE_CHECKING:
    from mcp_server.resources.sandbox_manager import SandboxManager

OUTSIDE_SECONDS: Final = 30.0
"""How long the attacks may take where nothing stops them."""


class Doctor:
    """Attack the sandbox from inside, and the same canaries from outside, where every attack must succeed.

    The second half is what makes the first worth something: an attack that would fail anywhere proves no barrier.

    Args:
        sandboxes: What is examined.
    """

    def __init__(self, *, sandboxes: SandboxManager) -> None:
        self._sandboxes = sandboxes

    def examine(self) -> Diagnosis:
        """Return what was found; not to be called from a running event loop."""
        sandboxes = self._sandboxes
        tier = sandboxes.examine()
        attacks: dict[str, tuple[bool, bool]] = {}
        if sandboxes.can_run:
            attacks = self._attacks()
        return Diagnosis(
            tier=tier,
            demanded=sandboxes.config.min_tier,
            findings=sandboxes.findings,
            attacks=attacks,
            features=self._features(),
        )

    def _attacks(self) -> dict[str, tuple[bool, bool]]:
        inside = set(asyncio.run(self._sandboxes.attack()))
        with canaries() as probe:
            # Our own program, run as any program of the user's would be.
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", probe.code],
                capture_output=True,
                check=False,
                timeout=OUTSIDE_SECONDS,
                env=dict(os.environ),
            )
            outside = set(probe.open_barriers(done.stdout.decode()))
        return {name: (name in outside, name in inside) for name in probe.attacks()}

    @staticmethod
    def _features() -> dict[str, Any]:
        from mcp_server.resources.isolation.bubblewrap import PROGRAM, Bubblewrap
        from mcp_server.resources.isolation.control_groups import ControlGroups
        from mcp_server.resources.kernel.landlock import Landlock

        version = "missing"
        if Bubblewrap().problem() is None:
            # An empty environment and an absolute path: what is asked is what would be used.
            asked = subprocess.run([PROGRAM, "--version"], capture_output=True, check=False, env={}, timeout=10)
            version = asked.stdout.decode("utf-8", "replace").strip() or "unknown"
        groups = ControlGroups.find()
        return {
            "bubblewrap": version,
            "control groups": "none" if groups is None else f"version {groups.version}",
            "kernel": os.uname().release,
            "landlock": f"version {Landlock().abi}" if Landlock().abi else "none",
        }
