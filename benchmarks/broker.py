"""`python -m benchmarks.broker`: what opening a client's files in a process of their own costs, in one run."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager

CONTENT = b"x" * 1024
SERIES = 7
"""The median of so many series is told."""


def operations(files: ClientFiles) -> dict[str, Callable[[], object]]:
    """Return what is measured, each with the files of one keeper."""
    location, directory = files.locate("a/b/file"), files.locate("a/b")
    pinned = files.pin(location)
    return {
        "look at a file": lambda: files.stat(location),
        "read 1 KiB": lambda: files.read(location),
        "read 1 KiB that is pinned": lambda: files.read(pinned),
        "write 1 KiB": lambda: files.write(location, CONTENT),
        "list a directory": lambda: files.list_directory(directory),
    }


def microseconds(rounds: int, call: Callable[[], object]) -> float:
    """Return the median of the means of some series of calls."""
    means = []
    for _ in range(SERIES):
        began = time.perf_counter()
        for _ in range(rounds):
            call()
        means.append((time.perf_counter() - began) / rounds * 1e6)
    return statistics.median(means)


def stands(factory: BrokerFactory, folder: str) -> tuple[BrokeredFiles, float]:
    """Return the files that a new broker keeps, and how many milliseconds it took until it answered."""
    began = time.perf_counter()
    files = BrokeredFiles(roots=[RootConfig(folder)], start=factory.start)
    files.stat(files.locate("."))
    return files, (time.perf_counter() - began) * 1000


def memory(pid: int | None) -> dict[str, float]:
    """Return how many MiB a process takes: its share of what it shares, and all that it sees."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    found = {name: int(value.split()[0]) / 1024 for name, _, value in (line.partition(":") for line in lines)}
    return {name: found[name] for name in ("Pss", "Rss")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broker", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="calls in each series")
    rounds = parser.parse_args().rounds
    factory = BrokerFactory()
    factory.check()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a" / "b").mkdir(parents=True)
        (Path(folder) / "a" / "b" / "file").write_bytes(CONTENT)
        starts = []
        for _ in range(SERIES):
            files, took = stands(factory, folder)
            starts.append(took)
            files.close()
        here, there = FileSystemManager(roots=[RootConfig(folder)]), stands(factory, folder)[0]
        print(f"{'us, median':<30}{'in the server':>15}{'in a broker':>15}")
        for (name, inside), apart in zip(operations(here).items(), operations(there).values(), strict=True):
            print(f"{name:<30}{microseconds(rounds, inside):>15.1f}{microseconds(rounds, apart):>15.1f}")
        print(f"a broker stands after {statistics.median(starts):.0f} ms")
        print("a broker's memory: " + ", ".join(f"{k} {v:.1f} MiB" for k, v in memory(there.broker_pid).items()))
        there.close()
    factory.close()


if __name__ == "__main__":
    main()
