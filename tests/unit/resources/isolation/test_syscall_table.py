from __future__ import annotations

import ctypes
import os
import platform

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.syscall_table import SyscallTable

# From the manual pages and the headers, not from the table's source.
KNOWN = {
    "x86_64": {"read": 0, "ioctl": 16, "clone": 56, "execve": 59, "ptrace": 101, "openat": 257, "seccomp": 317},
    "aarch64": {"read": 63, "ioctl": 29, "clone": 220, "execve": 221, "ptrace": 117, "openat": 56, "seccomp": 277},
}
KNOWN_ON_BOTH = {"io_uring_setup": 425, "clone3": 435, "openat2": 437, "landlock_create_ruleset": 444, "fchmodat2": 452}


@pytest.mark.parametrize("machine", KNOWN)
def test_known_numbers(machine: str) -> None:
    numbers = SyscallTable.of(machine).numbers
    assert (KNOWN[machine] | KNOWN_ON_BOTH).items() <= numbers.items()
    assert len(set(numbers.values())) == len(numbers)


def test_how_many_there_are() -> None:
    counts = {machine: len(SyscallTable.of(machine).numbers) for machine in KNOWN}
    # 337 of its own on the one; 295 without the 16 left to architectures on the other; 48 since then on both.
    assert counts == {"x86_64": 337 + 48, "aarch64": 295 - 16 + 48}


def test_architectures_are_those_of_audit() -> None:
    assert SyscallTable.of("x86_64").audit_arch == 0x80000000 | 0x40000000 | 62
    assert SyscallTable.of("aarch64").audit_arch == 0x80000000 | 0x40000000 | 183


def test_the_numbers_are_those_of_this_kernel() -> None:
    library = ctypes.CDLL(None)
    numbers = SyscallTable.of(platform.machine()).numbers
    for name in ("getpid", "getppid", "getuid", "getpgid"):
        assert library.syscall(numbers[name], 0) == getattr(os, name)(*[0] * (name == "getpgid"))


@pytest.mark.parametrize("machine", ["i686", "aarch64_be", "riscv64", ""])
def test_an_unknown_machine_is_refused(machine: str) -> None:
    with pytest.raises(ConfigurationError, match="sandboxes need aarch64 or x86_64"):
        SyscallTable.of(machine)
