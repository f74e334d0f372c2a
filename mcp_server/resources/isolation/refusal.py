"""Why something is not copied in, or does not come out again."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError


class Refusal(StrEnum):
    """The reasons, in words that a person and a model read alike.

    >>> str(Refusal.CHANGED)
    'changed meanwhile'
    """

    PROTECTED = "protected name"
    NOT_PERMITTED = "not permitted"
    NOT_APPROVED = "not what was approved"
    OTHER_FOLDER = "in another folder"
    NAME = "unusable name"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    SPECIAL = "special file"
    PRIVILEGED = "setuid or setgid bit"
    MOUNT = "another mount"
    CLOSED = "not readable"
    TOO_LARGE = "too large"
    TOO_DEEP = "too deep"
    TOO_MANY = "too many files"
    QUOTA = "quota used up"
    FULL = "disk full"
    CHANGED = "changed meanwhile"
    UNSTABLE = "changed while it was read"
    EXISTS = "exists already"
    OTHER_KIND = "a file and a directory of the same name"
    MISSING = "its directory is missing"
    NOT_EMPTY = "not empty"
    LAST_COPY = "its content has no other place"
    BUSY = "busy"
    UNAVAILABLE = "cannot be used"


_VIOLATIONS: Final = {
    "escape": Refusal.NAME,
    "name": Refusal.NAME,
    "hardlink": Refusal.HARD_LINK,
    "special": Refusal.SPECIAL,
    "mount": Refusal.MOUNT,
    "protected": Refusal.PROTECTED,
    "symlink": Refusal.SYMLINK,
    "quota": Refusal.QUOTA,
}
_UNAVAILABLE: Final = {
    "changed": Refusal.CHANGED,
    "exists": Refusal.EXISTS,
    "missing": Refusal.MISSING,
    "is_a_directory": Refusal.OTHER_KIND,
    "not_a_directory": Refusal.OTHER_KIND,
    "not_empty": Refusal.NOT_EMPTY,
    "full": Refusal.FULL,
    "busy": Refusal.BUSY,
}
# Of the staging directory: what was there a moment ago and is gone or something else has been changed under our hands.
_NUMBERS: Final = {
    errno.ENOENT: Refusal.UNSTABLE,
    errno.ENOTDIR: Refusal.UNSTABLE,
    errno.EISDIR: Refusal.UNSTABLE,
    errno.ELOOP: Refusal.SYMLINK,
    errno.EXDEV: Refusal.MOUNT,
    errno.ENAMETOOLONG: Refusal.NAME,
    errno.EACCES: Refusal.CLOSED,
    errno.EPERM: Refusal.CLOSED,
    errno.EAGAIN: Refusal.BUSY,
    errno.ENOSPC: Refusal.FULL,
    errno.EDQUOT: Refusal.FULL,
}


def refusal_of(error: MCPServerError | OSError) -> Refusal:
    """Return the reason that says what `error` says, without its words.

    >>> refusal_of(SandboxViolationError("quota", "the quota of 10 bytes is used up"))
    <Refusal.QUOTA: 'quota used up'>
    >>> refusal_of(OSError(errno.ELOOP, "link"))
    <Refusal.SYMLINK: 'symbolic link'>
    """
    if isinstance(error, SandboxViolationError):
        return _VIOLATIONS.get(error.reason, Refusal.UNAVAILABLE)
    if isinstance(error, ResourceUnavailableError):
        return _UNAVAILABLE.get(error.reason, Refusal.UNAVAILABLE)
    if isinstance(error, LimitExceededError):
        return Refusal.TOO_LARGE
    if isinstance(error, OSError):
        return _NUMBERS.get(error.errno or 0, Refusal.UNAVAILABLE)
    return Refusal.UNAVAILABLE


def staged_refusal_of(error: MCPServerError | OSError) -> Refusal:
    """Return the reason for something in the staging directory, where "changed" means: by whoever still runs there.

    >>> staged_refusal_of(ResourceUnavailableError("changed", "changed while it was read"))
    <Refusal.UNSTABLE: 'changed while it was read'>
    """
    refusal = refusal_of(error)
    return Refusal.UNSTABLE if refusal is Refusal.CHANGED else refusal
