"""The one place where errors of the operating system about files become errors of this library."""

from __future__ import annotations

import errno
from typing import Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.names import quoted

_VIOLATIONS: Final = {
    errno.ELOOP: ("symlink", "is reached through a symbolic link, and links are not followed"),
    errno.EXDEV: ("mount", "is on another mount than its folder"),
    errno.ENAMETOOLONG: ("name", "has a name that is too long"),
}
_UNAVAILABLE: Final = {
    errno.ENOENT: ("missing", "does not exist"),
    errno.ENOTDIR: ("not_a_directory", "is not a directory, or leads through something that is none"),
    errno.EISDIR: ("is_a_directory", "is a directory"),
    errno.EEXIST: ("exists", "exists already"),
    errno.ENOTEMPTY: ("not_empty", "is a directory that is not empty"),
    errno.ENOSPC: ("full", "cannot be written: the disk is full"),
    errno.EDQUOT: ("full", "cannot be written: the disk quota is used up"),
    errno.EFBIG: ("full", "would be too large for the file system"),
    errno.EAGAIN: ("busy", "is being changed by somebody else; try again"),
    errno.EBUSY: ("busy", "is in use"),
    errno.ETXTBSY: ("busy", "is a program that is running"),
    errno.EACCES: ("io", "is not open to the account this server runs as"),
    errno.EPERM: ("io", "is not open to the account this server runs as"),
    errno.EROFS: ("io", "is on a file system that cannot be written"),
    errno.EMFILE: ("busy", "cannot be opened now: too many files are open"),
    errno.ENFILE: ("busy", "cannot be opened now: too many files are open"),
}


def shown(location: FileLocation) -> str:
    """Return a location in words the client would use: relative in its first folder, absolute in the others."""
    return quoted(location.relative if location.root.index == 0 else location.absolute)


def translated(error: OSError, location: FileLocation) -> MCPServerError:
    """Return the error of this library that says the same about `location`, without a word of the host.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root import Root
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = Root(RootConfig(folder))
    ...     print(translated(OSError(errno.ENOENT, folder), FileLocation(root, ("a",))))
    ...     root.close()
    'a' does not exist
    """
    number = error.errno if error.errno is not None else errno.EIO
    if number in _VIOLATIONS:
        reason, words = _VIOLATIONS[number]
        return SandboxViolationError(reason, f"{shown(location)} {words}")
    reason, words = _UNAVAILABLE.get(number, ("io", "cannot be used now"))
    return ResourceUnavailableError(reason, f"{shown(location)} {words}")
