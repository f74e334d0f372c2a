from __future__ import annotations

import ctypes
import platform

import pytest

from mcp_server.resources.kernel.mallopt import Mallopt
from tests.support.bare_child import run_bare

IS_GLIBC = platform.libc_ver()[0] == "glibc"
# In a process of its own, for nothing takes it back: the page faults of fifty blocks, before and after.
FAULTS = """
import resource
from mcp_server.resources.kernel.mallopt import Mallopt
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        bytes(1 << 20) + b"x"
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
fresh = faults()
does = Mallopt().keep(block_bytes=8 << 20, idle_bytes=16 << 20)
faults()
print(does, fresh, faults())
"""


def test_large_blocks_are_taken_from_memory_that_was_used_before() -> None:
    does, fresh, kept = run_bare(FAULTS).split()
    assert does == str(IS_GLIBC)
    assert not IS_GLIBC or int(kept) * 10 < int(fresh)


def test_a_size_that_is_none_changes_nothing() -> None:
    assert not Mallopt().keep(block_bytes=-1, idle_bytes=16 << 20)


@pytest.mark.parametrize("missing", [AttributeError, OSError, TypeError])
def test_without_such_a_library_nothing_happens(missing: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(*args: object, **kwargs: object) -> object:
        raise missing

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert not Mallopt().keep(block_bytes=8 << 20, idle_bytes=16 << 20)
