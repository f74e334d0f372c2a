"""One directory of a control group file system, of either version."""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from mcp_server.resources.kernel.pidfd import PidFd

DEFAULT_TIMEOUT_SECONDS: Final = 5.0
"""A killed process ends at once, unless it waits for a disk or a file server."""

_PAUSE_SECONDS: Final = 0.001


class CgroupDirectory:
    """Plain reads, writes, kills and removals; a thin door without any policy.

    Args:
        path: The directory. It need not exist yet.
        clock: Seconds that only go forward.

    Source: cgroups(7); Documentation/admin-guide/cgroup-v2.rst.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     open(os.path.join(folder, "cgroup.procs"), "x").close()
    ...     CgroupDirectory(folder).pids()
    []
    """

    __slots__ = ("_clock", "path")

    def __init__(self, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock

    def child(self, name: str) -> CgroupDirectory:
        """Return the directory below this one, without making it.

        Raises:
            ValueError: The name is not that of one directory.
        """
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is no name of a group")
        return CgroupDirectory(os.path.join(self.path, name), clock=self._clock)

    def make(self) -> None:
        """Make the directory, and so the group.

        Raises:
            OSError: It exists, or may not be made.
        """
        os.mkdir(self.path, 0o700)

    def has(self, name: str) -> bool:
        """Return whether the group has a file of that name."""
        return os.path.exists(os.path.join(self.path, name))

    def read(self, name: str) -> str:
        """Return what a file holds.

        Raises:
            OSError: There is no such file, or it may not be read.
        """
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return file.read()

    def read_key(self, name: str, key: str) -> int:
        """Return the number behind `key` in a file of keys and numbers, 0 without it.

        Raises:
            OSError: There is no such file, or it may not be read.
        """
        for line in self.read(name).splitlines():
            found, _, value = line.partition(" ")
            if found == key:
                return int(value)
        return 0

    def write(self, name: str, value: str | int) -> None:
        """Write to a file that is there; makes none.

        Raises:
            OSError: There is no such file, or the kernel refused the value.
        """
        descriptor = os.open(os.path.join(self.path, name), os.O_WRONLY | os.O_CLOEXEC)
        try:
            # In one piece: the kernel takes each write for a whole value.
            os.write(descriptor, str(value).encode())
        finally:
            os.close(descriptor)

    def pids(self) -> list[int]:
        """Return the processes of the group, without those of groups below.

        Raises:
            OSError: The group does not exist.
        """
        # A process from outside our namespace of processes is shown as 0; it is nobody that we could name.
        return [pid for pid in map(int, self.read("cgroup.procs").split()) if pid]

    def kill_each(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Kill each process of the group, and those they start meanwhile, and wait until there is none.

        Raises:
            TimeoutError: There are still some.
            OSError: The group does not exist, or one of them is not ours to kill.
        """
        deadline = self._clock() + timeout_seconds
        while pids := self.pids():
            with ExitStack() as opened:
                handles = {}
                for pid in pids:
                    try:
                        handles[pid] = opened.enter_context(PidFd.open(pid))
                    except ProcessLookupError:
                        continue
                # Whoever is still listed is the one that was opened; a number that was given to another is not.
                listed = set(self.pids())
                killed = [handle for pid, handle in handles.items() if pid in listed]
                for handle in killed:
                    try:
                        handle.send_signal(signal.SIGKILL)
                    except ProcessLookupError:
                        continue
                for handle in killed:
                    self._await(handle, deadline)
                if not killed:
                    time.sleep(_PAUSE_SECONDS)
            self._check(deadline, "processes of a group did not end when killed")

    def wait_until_empty(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Wait until the group has no process any more, nor, in version 2, a group below it.

        Raises:
            TimeoutError: There are still some.
            OSError: The group does not exist.
        """
        deadline = self._clock() + timeout_seconds
        while self._is_populated():
            self._check(deadline, "processes of a group did not end when killed")
            time.sleep(_PAUSE_SECONDS)

    def remove(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        """Remove the group; one that does not exist is removed already.

        A process that has just ended may hold it for a moment.

        Raises:
            TimeoutError: It is still busy.
            OSError: It may not be removed.
        """
        deadline = self._clock() + timeout_seconds
        while True:
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                self._check(deadline, "a group is still in use")
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _is_populated(self) -> bool:
        if self.has("cgroup.events"):
            return self.read_key("cgroup.events", "populated") != 0
        return bool(self.pids())

    def _await(self, process: PidFd, deadline: float) -> None:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.poll(max(0.0, deadline - self._clock()) * 1000)

    def _check(self, deadline: float, message: str) -> None:
        if self._clock() >= deadline:
            raise TimeoutError(errno.ETIMEDOUT, message)


def own_groups(proc: str) -> dict[str, str]:
    """Return the path of this process in each hierarchy, by the names of its controllers; version 2 has none.

    Raises:
        OSError: The kernel has no control groups.

    Source: cgroups(7), "/proc files".
    """
    groups = {}
    with open(os.path.join(proc, "cgroup"), encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            groups[controllers] = path
    return groups


def mounted_groups(proc: str, kind: str) -> list[tuple[str, str, set[str]]]:
    """Return the mounts of a type: which part of the hierarchy is mounted, where, and with which options.

    Raises:
        OSError: The table cannot be read.

    Source: proc_pid_mountinfo(5).
    """
    found = []
    with open(os.path.join(proc, "mountinfo"), encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.split()
            # A variable number of optional fields ends with a single dash; type, source and options follow it.
            dash = fields.index("-", 6)
            if fields[dash + 1] == kind:
                found.append((_plain(fields[3]), _plain(fields[4]), set(fields[dash + 3].split(","))))
    return found


def place_in(path: str, root: str, mount_point: str) -> str | None:
    """Return where the group `path` lies below a mount of the part `root` of its hierarchy; None where it does not.

    >>> place_in("/docker/1/a", "/docker/1", "/sys/fs/cgroup"), place_in("/other", "/docker", "/sys/fs/cgroup")
    ('/sys/fs/cgroup/a', None)
    """
    # A group outside our namespace of groups begins with two dots.
    if ".." in path.split("/"):
        return None
    if root == "/":
        inside = path
    elif path == root or path.startswith(root + "/"):
        inside = path[len(root) :]
    else:
        return None
    return os.path.normpath(mount_point + "/" + inside)


def _plain(field: str) -> str:
    """Undo the escapes of the mount table."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(escape, character)
    return field
