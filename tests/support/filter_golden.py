"""The verdicts and the programs of the filters as text, to be held against the reviewed ones.

`python -m tests.support.filter_golden` writes them anew. What has changed is then read before it is committed.
"""

from __future__ import annotations

from pathlib import Path

from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.isolation.syscall_table import SyscallTable
from tests.support.bpf_interpreter import BPFInterpreter

GOLDEN = Path(__file__).parent.parent / "unit" / "resources" / "isolation" / "golden"
MACHINES = ("x86_64", "aarch64")
VERDICTS = {0x7FFF0000: "allow", 0x00050001: "EPERM", 0x00050026: "ENOSYS", 0x80000000: "kill"}

HEAD = """\
# Every call that has a name: its number and the verdicts of `base`, of `base` with sockets and IPC, and of
# `no_execution`, on x86_64 and then on aarch64. Where there are two, arguments are all zeros, and all ones.
# Every number that is not here is answered with ENOSYS. Written by `python -m tests.support.filter_golden`.
"""


def programs() -> dict[str, bytes]:
    """Return the programs by the names of their files."""
    found = {}
    for machine in MACHINES:
        found[f"base-{machine}.hex"] = SeccompFilter.base(machine)
        found[f"base-wide-{machine}.hex"] = SeccompFilter.base(machine, families=(2, 10), ipc=True)
        found[f"no-execution-{machine}.hex"] = SeccompFilter.no_execution(machine)
    return found


def verdict(program: BPFInterpreter, arch: int, number: int) -> str:
    """Return one verdict where the arguments do not matter, two where they do."""
    both = [VERDICTS[program.run(number, arch, [word] * 6)] for word in (0, -1)]
    return both[0] if both[0] == both[1] else "/".join(both)


def table() -> str:
    """Return the table of all verdicts."""
    tables = {machine: SyscallTable.of(machine) for machine in MACHINES}
    machines = {name: BPFInterpreter(program) for name, program in programs().items()}
    lines = []
    for name in sorted(set(tables["x86_64"].numbers) | set(tables["aarch64"].numbers)):
        cells = [f"{name:<24}"]
        for machine, known in tables.items():
            number = known.numbers.get(name)
            cells.append(f"{'-' if number is None else number:>4}")
            for kind in ("base", "base-wide", "no-execution"):
                shown = "-" if number is None else verdict(machines[f"{kind}-{machine}.hex"], known.audit_arch, number)
                cells.append(f"{shown:<12}")
        lines.append(" ".join(cells).rstrip())
    return HEAD + "\n".join(lines) + "\n"


def lines_of(program: bytes) -> str:
    """Return a program as text, an instruction a line: code, distances, operand, as they lie in memory."""
    return program.hex(" ", 8).replace(" ", "\n") + "\n"


def write() -> None:
    """Write all files."""
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "verdicts.txt").write_text(table(), encoding="utf-8")
    for name, program in programs().items():
        (GOLDEN / name).write_text(lines_of(program), encoding="utf-8")


if __name__ == "__main__":
    write()
