"""How a path below a directory is opened without leaving it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class PathOpener(Protocol):
    """Opens names below an open directory, following no link and crossing no mount.

    The two implementations, the system call and the walk, are held to the same behaviour by the same tests.

    >>> import inspect
    >>> "follows no link" in inspect.getdoc(PathOpener.open)
    True
    """

    def open(self, directory: int, parts: Sequence[str], flags: int, *, cross_mounts: bool = False) -> int:
        """Open the path `parts` below `directory`; follows no link.

        Args:
            directory: Descriptor of the directory to start from.
            parts: Names, none of them empty, `.` or `..`; no parts means the directory itself.
            flags: As for `open(2)`. With `O_PATH | O_NOFOLLOW` a link in the last place is returned as such.
            cross_mounts: Whether the path may lead into another mount.

        Returns:
            A new descriptor, closed on exec.

        Raises:
            OSError: `ELOOP` for a link on the way, `EXDEV` for another mount, and what `open(2)` answers.
        """
