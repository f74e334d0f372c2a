"""What makes sandboxes that a test plays."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_server.resources.isolation.execution_request import ExecutionRequest
from tests.support.scripted_worker import ScriptedWorker


class ScriptedExecution:
    """Hands out workers, as `ExecutionManager` does; `gate` holds them back until it is set."""

    def __init__(self) -> None:
        self.workers: list[ScriptedWorker] = []
        self.requests: list[ExecutionRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.failure: Exception | None = None

    async def prepare(self, request: ExecutionRequest, *, owner: Any = None) -> ScriptedWorker:
        self.requests.append(request)
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.workers.append(ScriptedWorker())
        return self.workers[-1]

    def job(self, request: ExecutionRequest, view: Any) -> dict[str, Any]:
        return {"program": request.program}
