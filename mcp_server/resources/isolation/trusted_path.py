"""Whether what lies under a path is what root put there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

MAX_LINKS: Final = 40
"""The kernel follows no more. Source: path_resolution(7)."""


def path_problem(path: str, *, owner: int = 0, lstat: Callable[[str], os.stat_result] = os.lstat) -> str | None:
    """Return why somebody else than root could change what this path leads to, None when nobody can.

    Looked at are the file, every directory above it, and each link on the way with the directories above that.

    Args:
        path: An absolute path.
        owner: Who must own all of it.
        lstat: Looks at a name.

    >>> path_problem("usr/bin/true")
    "'usr/bin/true' is no absolute path"
    """
    if not os.path.isabs(path) or os.path.normpath(path) != path:
        return f"{path!r} is no absolute path"
    # What is still to be walked, the next name last; and where we are.
    names = [name for name in reversed(path.split("/")) if name]
    at, links, found = "/", 0, lstat("/")
    while True:
        if found.st_uid != owner:
            return f"{at} belongs to somebody else than root"
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"{at} can be written by others than root"
        if not names:
            break
        if not stat.S_ISDIR(found.st_mode):
            return f"{at} is no directory"
        name = names.pop()
        if name == "..":
            at = os.path.dirname(at)
            found = lstat(at)
            continue
        here, at = at, os.path.join(at, name)
        try:
            found = lstat(at)
            if not stat.S_ISLNK(found.st_mode):
                continue
            target = os.readlink(at)
        except OSError:
            return f"{at} is not there"
        links += 1
        if links > MAX_LINKS:
            return f"{path} has too many links"
        if found.st_uid != owner:
            return f"{at} belongs to somebody else than root"
        names += [name for name in reversed(target.split("/")) if name not in ("", ".")]
        at = "/" if target.startswith("/") else here
        found = lstat(at)
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & stat.S_IXUSR:
        return f"{at} is no program"
    return None
