"""`python -m benchmarks.chain`: drive the protocol handler in memory, and print what each step of a call costs.

No pipe, no client, no second process: what is left is the chain. The audit is written to a real file.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bytecode_counter import BytecodeCounter
from benchmarks.call_suite import SMALL_TEXT
from benchmarks.request_builder import INITIALIZED, RequestBuilder
from benchmarks.server import CLIENT, bench_server
from benchmarks.step_sampler import StepSampler
from benchmarks.step_table import STEPS, step_of
from mcp_server.client.memory_channel import MemoryChannel
from mcp_server.security.authentication.credentials import Credentials

BATCH = 500
WIDTH = 50
KIBIBYTE_TEXT = "The quick brown fox jumps over the lazy dog. " * 22


async def measure(tool: str, arguments: dict[str, Any], *, data: str, seconds: float, revision: str) -> StepSampler:
    """Call a tool for so long; print the price of a call, and return where the time went."""
    requests = RequestBuilder(revision)
    before, behind = requests.call(tool, arguments)
    answers: list[bytes] = []
    with tempfile.TemporaryDirectory(prefix="mcp-chain-") as state:
        lifecycle = bench_server(data=data, state=state, tools=3).lifecycle()
        await lifecycle.open()
        handler = lifecycle.protocol.handler
        connection = handler.open(MemoryChannel(Credentials(transport="stdio", profile=CLIENT), answers.append))
        handler.receive(connection, requests.first())
        if not requests.is_modern:
            handler.receive(connection, INITIALIZED)
        numbers = iter(range(1, sys.maxsize))

        async def batch() -> float:
            answers.clear()
            began = time.process_time_ns()
            for asked in range(WIDTH, BATCH + 1, WIDTH):
                for _ in range(WIDTH):
                    handler.receive(connection, before + b"%d" % next(numbers) + behind)
                while len(answers) < asked:  # noqa: ASYNC110 - an event would be measured as well
                    await asyncio.sleep(0)
            took = time.process_time_ns() - began
            if len(answers) != BATCH or b'"error"' in answers[-1] or b'"isError":true' in answers[-1]:
                raise RuntimeError(f"{tool}: {answers[-1:]!r}")
            return took / BATCH / 1000

        for _ in range(4):
            await batch()
        costs = [await batch() for _ in range(8)]
        with BytecodeCounter() as counter:
            await batch()
        end = time.perf_counter() + seconds
        with StepSampler(step_of) as sampler:
            while time.perf_counter() < end:
                costs.append(await batch())
        await lifecycle.close("measured")
    costs.sort()
    least, middle = costs[0], costs[len(costs) // 2]
    print(f"\n### {tool}, revision {revision}: {least:.1f} us CPU a call at best, {middle:.1f} at the median")
    print(
        f"\n{counter.instructions / BATCH:,.0f} bytecodes in {counter.functions / BATCH:.0f} Python functions a call.\n"
    )
    print("| step | us | share |\n|---|--:|--:|")
    total = sampler.counts.total()
    for step in [*dict.fromkeys(step for step, _ in STEPS), "elsewhere"]:
        share = sampler.counts[step] / total
        if share:
            print(f"| {step} | {share * middle:.1f} | {share:.0%} |")
    return sampler


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one table a tool."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__)
    parser.add_argument("--tools", nargs="+", choices=("echo", "add", "read_file"), default=["echo", "read_file"])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each tool is called")
    parser.add_argument("--revision", default="2025-11-25", help="which revision to speak")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mcp-chain-data-") as data:
        path = Path(data, "note.txt")
        path.write_text(KIBIBYTE_TEXT, encoding="utf-8")
        known: dict[str, dict[str, Any]] = {
            "echo": {"text": SMALL_TEXT},
            "add": {"a": 20, "b": 22},
            "read_file": {"path": str(path)},
        }
        for tool in given.tools:
            asyncio.run(measure(tool, known[tool], data=data, seconds=given.seconds, revision=given.revision))
    return 0


if __name__ == "__main__":
    sys.exit(main())
