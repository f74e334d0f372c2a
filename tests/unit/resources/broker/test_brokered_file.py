"""What a broker hands over: read, and never anything else."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.resources.broker.brokered_file import BrokeredFile, status_of_handed_over
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_config import RootConfig


@pytest.fixture
def location(folder: Path) -> FileLocation:
    return FileLocation(Root(RootConfig(folder)), ("note.txt",))


def held(location: FileLocation, path: Path) -> BrokeredFile:
    descriptor = os.open(path, os.O_RDONLY)
    return BrokeredFile(location, descriptor, os.fstat(descriptor))


def test_each_opening_has_a_position_of_its_own(location: FileLocation, folder: Path) -> None:
    with held(location, folder / "note.txt") as pinned:
        first, second = pinned.reopen(os.O_RDONLY), pinned.reopen(os.O_RDONLY | os.O_NONBLOCK)
        assert os.read(first, 9) == os.read(second, 9) == b"hello"
        assert not os.get_inheritable(first)
        duplicate = pinned.duplicate()
        assert os.pread(duplicate, 2, 1) == b"el"
        for each in (first, second, duplicate):
            os.close(each)


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT])
def test_nothing_is_opened_to_be_written(location: FileLocation, folder: Path, flags: int) -> None:
    with held(location, folder / "note.txt") as pinned, pytest.raises(PermissionError):
        pinned.reopen(flags)
    assert (folder / "note.txt").read_bytes() == b"hello"


def test_what_was_closed_or_refused_is_not_opened(location: FileLocation, folder: Path) -> None:
    pinned = held(location, folder / "note.txt")
    pinned.close()
    pinned.close()
    refused = BrokeredFile(location, -1, os.stat(folder), refused=errno.EACCES)
    for each, number in ((pinned, errno.EBADF), (refused, errno.EACCES)):
        for act in (lambda each=each: each.reopen(os.O_RDONLY), each.duplicate):
            with pytest.raises(OSError, match=os.strerror(number)):
                act()
    assert refused.kind == "directory"


@pytest.mark.parametrize(
    ("make", "is_taken"),
    [
        (lambda folder: os.open(folder / "note.txt", os.O_RDONLY), True),
        (lambda folder: os.open(folder, os.O_RDONLY | os.O_DIRECTORY), True),
        (lambda folder: os.open(folder / "note.txt", os.O_PATH), False),
        (lambda folder: os.open(folder, os.O_PATH | os.O_DIRECTORY), False),
        (lambda folder: os.open(folder / "note.txt", os.O_RDWR), False),
        (lambda folder: os.open(folder / "note.txt", os.O_WRONLY), False),
        (lambda folder: os.open("/dev/null", os.O_RDONLY), False),
        (lambda folder: os.pipe()[0], False),
        (lambda folder: socket.socketpair()[0].detach(), False),
        (lambda folder: os.eventfd(0), False),
    ],
)
def test_only_what_is_open_for_reading_is_taken(
    make: Callable[[Path], int], is_taken: bool, folder: Path, recwarn: pytest.WarningsRecorder
) -> None:
    descriptor = make(folder)
    try:
        if is_taken:
            assert status_of_handed_over(descriptor) == os.fstat(descriptor)
        else:
            with pytest.raises(ValueError, match="handed over"):
                status_of_handed_over(descriptor)
    finally:
        os.close(descriptor)
