"""What is known of a file, as plain values and back; what comes back is taken for an enemy's."""

from __future__ import annotations

import math
import os
from typing import Any, Final

from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_stat import FileStat

# No inode number, device, size or time of the kernel is larger.
_LARGEST: Final = 2**64 - 1
_NANOSECONDS: Final = 1_000_000_000
_STAT_FIELDS: Final = 7
_STATUS_FIELDS: Final = 10


def stat_fields(found: FileStat) -> list[Any]:
    """Return a `FileStat` as plain values.

    >>> stat_fields(FileStat(FileKind.FILE, 5, 1.0, 2.0, 3.0, 0o644, 1))
    ['file', 5, 1.0, 2.0, 3.0, 420, 1]
    """
    return [
        str(found.kind), found.size, found.modified, found.accessed, found.changed, found.mode, found.links
    ]  # fmt: skip


def stat_of(fields: Any) -> FileStat:
    """Return the `FileStat` that plain values stand for.

    Raises:
        ValueError: They stand for none.

    >>> stat_of(["file", 5, 1.0, 2.0, 3.0, 420, 1]).mode
    420
    """
    kind, size, modified, accessed, changed, mode, links = _list_of(fields, _STAT_FIELDS)
    if not isinstance(kind, str):
        raise ValueError("a kind is a text")
    return FileStat(
        FileKind(kind), _count(size), _time(modified), _time(accessed), _time(changed), _count(mode), _count(links)
    )


def status_fields(status: os.stat_result) -> list[int]:
    """Return what `fstat` said as plain values.

    >>> status_fields(os.stat("/"))[0] == os.stat("/").st_mode
    True
    """
    return [
        status.st_mode, status.st_ino, status.st_dev, status.st_nlink, status.st_uid, status.st_gid, status.st_size,
        status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns,
    ]  # fmt: skip


def status_of(fields: Any) -> os.stat_result:
    """Return what `fstat` would say that plain values stand for.

    Raises:
        ValueError: They stand for nothing of the kind.

    >>> found = os.stat("/")
    >>> again = status_of(status_fields(found))
    >>> (again.st_ino, again.st_mtime_ns) == (found.st_ino, found.st_mtime_ns)
    True
    """
    *counts, accessed, modified, changed = _list_of(fields, _STATUS_FIELDS)
    times = [_time_ns(each) for each in (accessed, modified, changed)]
    seconds = [each // _NANOSECONDS for each in times]
    return os.stat_result((*map(_count, counts), *seconds, *(each / _NANOSECONDS for each in times), *times))


def _list_of(fields: Any, length: int) -> list[Any]:
    if not isinstance(fields, list) or len(fields) != length:
        raise ValueError(f"what is known of a file is {length} values")
    return fields


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError("a number of the kernel's is whole, and not below zero")
    return value


def _time_ns(value: Any) -> int:
    # A file may be older than 1970.
    if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
        raise ValueError("a time is a whole number of nanoseconds")
    return value


def _time(value: Any) -> float:
    if type(value) not in (int, float) or abs(value) > _LARGEST or not math.isfinite(value):
        raise ValueError("a time is a number of seconds")
    return float(value)
