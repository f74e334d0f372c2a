from __future__ import annotations

import mmap
import os

import pytest

from mcp_server.security.audit.fork_guard import ForkGuard


def child_sees_original(guard: ForkGuard) -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(1 if guard.is_original else 0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 1


@pytest.mark.parametrize("has_page", [True, False])
def test_child_knows_that_it_is_a_copy(has_page: bool) -> None:
    guard = ForkGuard()
    if not has_page:
        guard.close()
    assert isinstance(guard.page, mmap.mmap) is has_page
    assert guard.is_original
    assert not child_sees_original(guard)
    assert guard.is_original
    guard.close()


def test_memory_without_the_mark_would_look_original_in_the_child() -> None:
    # The negative control: an ordinary page is inherited as it is.
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page[0] = 1
    pid = os.fork()
    if pid == 0:
        os._exit(page[0])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    page.close()
