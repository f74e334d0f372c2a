"""Whether a place in the client's folder may be used."""

from __future__ import annotations

from typing import Protocol


class PathPredicate(Protocol):
    """Answers for one place; asked in a thread, before anything is written, and touches no file.

    >>> def is_text(absolute: str, relative: str) -> bool:
    ...     return relative.endswith(".txt")
    >>> predicate: PathPredicate = is_text
    >>> predicate("/srv/notes/a.txt", "a.txt")
    True
    """

    def __call__(self, absolute: str, relative: str, /) -> bool:
        """Return whether the file or directory may be used.

        Args:
            absolute: Its canonical absolute path.
            relative: Its path relative to the client's folder.
        """
