"""A sandbox that a test plays: real pipes, and an end that comes when the test says so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from mcp_server.resources.isolation.sandbox_view import SandboxView


class ScriptedWorker:
    """The host's end as `SandboxWorker` has it; `inner_stdin`, `inner_stdout` and `inner_stderr` are the test's."""

    def __init__(self) -> None:
        self.inner_stdin, self.stdin = os.pipe2(os.O_CLOEXEC)
        self.stdout, self.inner_stdout = os.pipe2(os.O_CLOEXEC)
        self.stderr, self.inner_stderr = os.pipe2(os.O_CLOEXEC)
        for descriptor in (self.stdin, self.stdout, self.stderr, self.inner_stdin):
            os.set_blocking(descriptor, False)
        self.group = None
        self.connections = None
        self.view = SandboxView()
        self.kills = 0
        self.is_closed = False
        self.job: Mapping[str, Any] | None = None
        self._told: dict[str, Any] = {}
        self._over = asyncio.Event()

    async def submit(self, job: Mapping[str, Any]) -> None:
        self.job = job

    async def report(self) -> Mapping[str, Any]:
        await self._over.wait()
        return self._told

    def tell(self, **told: Any) -> None:
        """End by itself, and say how."""
        self._told = told
        self._end()

    @property
    def has_been_told(self) -> bool:
        return self._over.is_set()

    async def is_over(self) -> None:
        """Return when it has ended, whoever ended it."""
        await self._over.wait()

    def kill(self) -> None:
        self.kills += 1
        self._end()

    async def ended(self) -> None:
        self._end()

    async def end(self) -> None:
        self.kill()
        self.close()

    def close(self) -> None:
        self.is_closed = True
        for name in ("stdin", "stdout", "stderr"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def _end(self) -> None:
        self._over.set()
        for name in ("inner_stdin", "inner_stdout", "inner_stderr"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)
