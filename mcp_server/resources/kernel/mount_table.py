"""Which mount an open file is on, and of what type."""

from __future__ import annotations

import errno
import os


class MountTable:
    """Reads `/proc/self/fdinfo` and `/proc/self/mountinfo`; knows nothing that it does not read.

    The mount id tells a bind mount from the directory around it, which `st_dev` does not.

    Raises:
        OSError: `/proc` cannot be read.

    Source: proc_pid_fdinfo(5), proc_pid_mountinfo(5).

    >>> descriptor = os.open("/proc", os.O_PATH)
    >>> MountTable().type_of(descriptor)
    'proc'
    >>> os.close(descriptor)
    """

    __slots__ = ()

    def mount_id(self, descriptor: int) -> int:
        """Return the id of the mount the open file `descriptor` was reached through."""
        with open(f"/proc/self/fdinfo/{descriptor}", "rb") as lines:
            for line in lines:
                if line.startswith(b"mnt_id:"):
                    return int(line[7:])
        raise OSError(errno.ENOSYS, "no mount id in fdinfo")

    def type_of(self, descriptor: int) -> str:
        """Return the type of the file system the open file `descriptor` is on, such as `ext4` or `fuse.sshfs`."""
        wanted = b"%d" % self.mount_id(descriptor)
        with open("/proc/self/mountinfo", "rb") as lines:
            for line in lines:
                fields = line.split()
                if fields[0] == wanted:
                    # A variable number of optional fields ends with a single dash; the type follows it.
                    return os.fsdecode(fields[fields.index(b"-", 6) + 1])
        raise OSError(errno.ENOENT, "the mount is not in the table")
