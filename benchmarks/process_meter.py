"""What a process and its descendants use of the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

# A process' CPU clock as Linux names it: the complement of its number, shifted, and 2 for "scheduler, nanoseconds".
_CPU_CLOCK_SHIFT = 3
_CPU_CLOCK_OF_SCHEDULER = 2
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class ProcessMeter:
    """Reads processor time and memory of a process tree from the kernel, without its cooperation.

    Args:
        pid: The root of the tree.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu = self._wall = self._machine = self._own = 0

    def start(self) -> None:
        """Begin an interval."""
        self._machine, self._own = _machine_cpu_ns(), time.process_time_ns()
        self._cpu, self._wall = self.cpu_ns(), time.perf_counter_ns()

    def stop(self) -> tuple[int, float]:
        """Return the tree's processor time in the interval in nanoseconds, and how many cores others used."""
        cpu, wall = self.cpu_ns() - self._cpu, time.perf_counter_ns() - self._wall
        others = _machine_cpu_ns() - self._machine - cpu - (time.process_time_ns() - self._own)
        return cpu, max(0.0, others / wall)

    def cpu_ns(self) -> int:
        """Return the processor time used so far, user and system, of all threads, in nanoseconds."""
        total = 0
        for pid in self._tree():
            try:
                total += time.clock_gettime_ns((~pid << _CPU_CLOCK_SHIFT) | _CPU_CLOCK_OF_SCHEDULER)
            except OSError:
                continue  # It has just ended.
        return total

    def rss_bytes(self) -> int:
        """Return the resident memory, in bytes."""
        total = 0
        for pid in self._tree():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))
        return total

    def _tree(self) -> list[int]:
        found, waiting = [], [self._pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    waiting += [int(number) for number in children.read_text(encoding="ascii").split()]
                except OSError:
                    continue
        return found


def _machine_cpu_ns() -> int:
    """Return the busy time of all cores since the machine started; the spinners' time is `nice` and left out."""
    user, _nice, system, _idle, _wait, irq, softirq, steal = (
        int(number) for number in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    )
    return (user + system + irq + softirq + steal) * _TICK_NS
