"""A folder of a client, held open."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.kernel.mount_table import MountTable

# What the kernel shows of itself: reading there discloses other processes, writing there commands the machine.
KERNEL_TYPES: Final = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "functionfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "resctrl", "securityfs",
        "selinuxfs", "smackfs", "sysfs", "tracefs",
    }
)  # fmt: skip
_KERNEL_DIRECTORIES: Final = ("/dev", "/proc", "/sys")

# Reading a small file that is in memory anyway takes less time here than waking a thread. On anything else, such as a
# network file system, a read may hang.
QUICK_TYPES: Final = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"})


class Root:
    """An opened folder: everything below it is reached from its descriptor, never by its name again.

    Args:
        config: The operator's word on it.
        index: Its place among the client's folders; relative paths start at the first.
        mounts: Tells the type of its file system.
        may_be_quick: Whether it may be read without a thread at all; not where a broker stands in between.

    Raises:
        ConfigurationError: It cannot be opened, or is of a kind that is never given to a client.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = Root(RootConfig(folder, name="notes"))
    ...     print(root.name, root.writable, root.path == folder)
    ...     root.close()
    notes True True
    """

    __slots__ = ("config", "device", "fd", "index", "inode", "is_quick", "name", "path", "public_parts", "real_path")

    def __init__(
        self, config: RootConfig, *, index: int = 0, mounts: MountTable | None = None, may_be_quick: bool = True
    ) -> None:
        self.config: Final = config
        self.index: Final = index
        self.path: Final = os.path.abspath(os.path.expanduser(config.path))
        self.real_path: Final = os.path.realpath(self.path)
        self.name: Final = config.name or os.path.basename(self.path) or self.path
        self.public_parts: Final = tuple(
            dict.fromkeys(tuple(path.strip("/").split("/")) for path in (self.path, self.real_path))
        )
        _refuse_kernel_directory(self.real_path)
        try:
            # The links of the operator's own path were followed above; what is opened now must be the result.
            self.fd = os.open(self.real_path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise ConfigurationError(f"the folder {self.path!r} cannot be opened: {error.strerror}") from error
        try:
            status = os.fstat(self.fd)
            self.device: Final = status.st_dev
            self.inode: Final = status.st_ino
            kind = _file_system_type(self.fd, self.path, mounts if mounts is not None else MountTable())
            is_fuse = kind == "fuse" or kind.startswith(("fuse.", "fuseblk"))
            if kind in KERNEL_TYPES or (is_fuse and not config.allow_fuse):
                raise ConfigurationError(
                    f"the folder {self.path!r} is on a file system of type {kind!r}, which is never given to a client"
                )
            self.is_quick: Final = may_be_quick and kind in QUICK_TYPES
        except ConfigurationError:
            self.close()
            raise

    @property
    def writable(self) -> bool:
        """Whether anything below it may be changed."""
        return self.config.writable

    @property
    def is_global(self) -> bool:
        """Whether writing needs `FILE_WRITE_GLOBAL`."""
        return self.config.is_global

    def refuse_overlap(self, forbidden: Iterable[str | os.PathLike[str]]) -> None:
        """Refuse to be, to contain or to lie in one of the server's own directories.

        Compares inodes of all parents, so that neither links nor a bind mount hide the overlap.

        Raises:
            ConfigurationError: It does.
        """
        own_parents = _identities(self.real_path)
        for path in forbidden:
            state_parents = _identities(os.path.realpath(path))
            state = state_parents[-1] if os.path.exists(path) else None
            if (self.device, self.inode) in state_parents or (state is not None and state in own_parents):
                raise ConfigurationError(
                    f"the folder {self.path!r} overlaps the server's own state; "
                    "keep the state elsewhere (--state) or give a narrower folder"
                )

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        descriptor, self.fd = self.fd, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        # Closed when nobody holds it any more, and so never under a thread that is about to use the number.
        if hasattr(self, "fd"):
            self.close()

    def __repr__(self) -> str:
        return f"Root({self.path!r})"


def _refuse_kernel_directory(real_path: str) -> None:
    # A container's /dev is an ordinary tmpfs full of device nodes, so its type would not tell.
    if real_path == "/" or (
        real_path.startswith(tuple(f"{place}/" for place in _KERNEL_DIRECTORIES))
        and not real_path.startswith("/dev/shm/")  # noqa: S108 - compared, not opened
    ):
        raise ConfigurationError(f"the folder {real_path!r} is never given to a client")
    if real_path in _KERNEL_DIRECTORIES:
        raise ConfigurationError(f"the folder {real_path!r} is never given to a client")


def _file_system_type(descriptor: int, path: str, mounts: MountTable) -> str:
    try:
        return mounts.type_of(descriptor)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the file system of {path!r} cannot be told; is /proc mounted?") from error


def _identities(real_path: str) -> list[tuple[int, int]]:
    """Return device and inode of every existing directory from `/` down to `real_path`."""
    found = []
    parts = [part for part in real_path.split("/") if part]
    for length in range(len(parts) + 1):
        try:
            status = os.lstat("/" + "/".join(parts[:length]))
        except OSError:
            break
        found.append((status.st_dev, status.st_ino))
    return found
