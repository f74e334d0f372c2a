"""`python -m benchmarks.sandbox`: what a sandbox costs, beside a bare start of a program, in one run."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.testing.client_for import client_for

ACCOUNTS = (210_000, 210_063)
"""Whom sandboxes run as where this is measured as root."""

CODE = "print(sum(range(100)))"
REST_SECONDS = 0.25
"""Long enough for the next sandbox to stand."""


async def timed(rounds: int, call: Callable[[], Awaitable[object]], *, rests: bool = False) -> list[float]:
    """Return how many milliseconds each call took."""
    taken = []
    for _ in range(rounds):
        if rests:
            await asyncio.sleep(REST_SECONDS)
        began = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def measure(sandboxes: SandboxManager, rounds: int) -> dict[str, list[float]]:
    """Measure starts of programs and runs of code, cold and warm."""
    owner = sandboxes.owner("bench")
    snippet = ExecutionRequest(policy=sandboxes.policy(), code=CODE)
    program = ExecutionRequest(policy=SandboxPolicy(may_execute=True), program="/usr/bin/true")
    warm = sandboxes.execution
    cold = ExecutionManager(factory=warm.factory, landlock=warm.landlock, tier=sandboxes.tier)

    async def bare(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: ASYNC221 - alone here

    found = {
        "start of /usr/bin/true": await timed(rounds, lambda: bare("/usr/bin/true")),
        "start of Python": await timed(rounds, lambda: bare("/usr/bin/python3", "-I", "-S", "-c", CODE)),
        "sandboxed program": await timed(rounds, lambda: cold.run(program, owner=owner)),
        "sandboxed Python, cold": await timed(rounds, lambda: cold.run(snippet, owner=owner)),
    }
    await warm.run(snippet, owner=owner)
    found["sandboxed Python, standing ready"] = await timed(rounds, lambda: warm.run(snippet, owner=owner), rests=True)
    await cold.close()
    return found


async def measure_handlers(rounds: int) -> dict[str, list[float]]:
    """Measure calls of a handler in the server's process, and in processes of their own."""
    places: tuple[Literal["inline", "process"], ...] = ("inline", "process")
    found: dict[str, list[float]] = {}
    for place in places:
        sandbox = {"accounts": list(ACCOUNTS)} if os.getuid() == 0 else {}
        async with client_for("benchmarks.handlers", isolation=place, sandbox=sandbox) as client:
            # What the first call of a server finds out is not a call's.
            await client.call("total", numbers=[1])
            name = "a handler inline" if place == "inline" else "a handler in a process of its own"
            found[name] = await timed(rounds, lambda client=client: client.call("total", numbers=[1, 2]))  # type: ignore[misc]
    return found


async def memory(sandboxes: SandboxManager) -> float:
    """Return the proportional memory, in MiB, of all processes of one sandbox that waits."""
    shape = SandboxShape(sandboxes.config.limits.tmp_bytes, owner=sandboxes.owner("bench"))
    worker = await sandboxes.execution.factory.make(shape)
    kilobytes = 0
    for pid in worker.processes:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():  # noqa: ASYNC240
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    await worker.end()
    return kilobytes / 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often each is measured")
    given = parser.parse_args(arguments)
    sandboxes = SandboxManager(config=SandboxConfig(accounts=ACCOUNTS if os.getuid() == 0 else None))
    began = time.perf_counter()
    tier = sandboxes.examine()
    examined = (time.perf_counter() - began) * 1000
    if not sandboxes.is_sufficient:
        print("no sandbox holds here: " + "; ".join(sandboxes.findings), file=sys.stderr)
        return 1

    async def work() -> tuple[dict[str, list[float]], float]:
        try:
            found = await measure(sandboxes, given.rounds)
            return found | await measure_handlers(given.rounds), await memory(sandboxes)
        finally:
            await sandboxes.rest()

    found, mebibytes = asyncio.run(work())
    sandboxes.close()
    print(f"tier {tier.label}, found out in {examined:.0f} ms\n")
    print("| what | p50 ms | least ms | times a bare start |\n|---|--:|--:|--:|")
    bare = statistics.median(found["start of /usr/bin/true"])
    for name, taken in found.items():
        middle = statistics.median(taken)
        print(f"| {name} | {middle:.1f} | {min(taken):.1f} | {middle / bare:.1f} |")
    print(f"\nA sandbox that waits takes {mebibytes:.1f} MiB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
