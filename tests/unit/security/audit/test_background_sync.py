"""The thread, with a disk that is an event: nothing here waits for time to pass."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.security.audit.background_sync import BackgroundSync

SOON = 10


class Disk:
    """A disk that counts, waits for permission, and may refuse."""

    def __init__(self) -> None:
        self.written = 0
        self.syncs = 0
        self.synced = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.idle = threading.Event()
        self.error: OSError | None = None
        self.failed = threading.Event()
        self.thread = BackgroundSync(
            sync=self.sync,
            idle_work=self.idle.set,
            on_failure=lambda error: self.failed.set(),
            interval_seconds=0.001,
            idle_seconds=0.001,
        )

    def sync(self) -> int:
        seq = self.written
        assert self.may_go_on.wait(SOON)
        self.syncs += 1
        if self.error is not None:
            raise self.error
        self.synced.set()
        return seq


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.may_go_on.set()
    disk.thread.stop()
    assert not disk.thread.is_running


def test_thread_starts_with_the_first_record_and_ends_with_stop(disk: Disk) -> None:
    assert not disk.thread.is_running
    disk.thread.notify()
    assert disk.synced.wait(SOON)
    assert disk.thread.is_running
    disk.thread.stop()
    disk.thread.stop()
    assert not disk.thread.is_running
    disk.thread.notify()
    assert not disk.thread.is_running


def test_idle_work_is_done_once_the_records_stop(disk: Disk) -> None:
    disk.thread.notify()
    assert disk.idle.wait(SOON)


def test_callers_share_a_sync(disk: Disk) -> None:
    async def many() -> None:
        disk.may_go_on.clear()
        disk.written = 1
        first = asyncio.create_task(disk.thread.wait_for(1))
        await asyncio.sleep(0)
        disk.written = 50
        others = [asyncio.create_task(disk.thread.wait_for(seq)) for seq in range(2, 51)]
        await asyncio.sleep(0)
        disk.may_go_on.set()
        await asyncio.gather(first, *others)
        await disk.thread.wait_for(20)

    asyncio.run(many())
    assert disk.syncs <= 3


def test_waiting_fails_when_the_disk_does_and_ever_after(disk: Disk) -> None:
    disk.error = OSError(5, "Input/output error")

    async def wait() -> None:
        for _ in range(2):
            with pytest.raises(AuditUnavailableError):
                await disk.thread.wait_for(1)

    asyncio.run(wait())
    assert disk.failed.is_set()
    assert disk.syncs == 1


def test_waiter_that_gave_up_is_no_trouble(disk: Disk) -> None:
    async def give_up() -> None:
        disk.may_go_on.clear()
        disk.written = 1
        task = asyncio.create_task(disk.thread.wait_for(1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        disk.may_go_on.set()
        await disk.thread.wait_for(1)

    asyncio.run(give_up())
    assert disk.thread.synced_seq == 1


def test_loop_that_ended_meanwhile_is_no_trouble(disk: Disk) -> None:
    async def leave() -> None:
        disk.may_go_on.clear()
        disk.written = 1
        task = asyncio.create_task(disk.thread.wait_for(1))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    disk.may_go_on.set()
    assert disk.synced.wait(SOON)
    disk.thread.stop()


def test_whoever_waits_at_the_end_is_answered_by_finish(disk: Disk) -> None:
    async def end() -> None:
        disk.may_go_on.clear()
        disk.written = 2
        synced = asyncio.create_task(disk.thread.wait_for(1))
        beyond = asyncio.create_task(disk.thread.wait_for(9))
        await asyncio.sleep(0)
        disk.may_go_on.set()
        await asyncio.to_thread(disk.thread.stop)
        disk.thread.finish(5)
        await synced
        with pytest.raises(AuditUnavailableError):
            await beyond
        with pytest.raises(AuditUnavailableError):
            await disk.thread.wait_for(6)

    asyncio.run(end())
    assert disk.thread.synced_seq == 5
