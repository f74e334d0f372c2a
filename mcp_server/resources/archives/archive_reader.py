"""What reads the members of an archive."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_member import ArchiveMember


class ArchiveReader(Protocol):
    """Reads one kind of archive from a file that does not change meanwhile; blocking.

    Each pass gives the same members.

    >>> ArchiveReader.members.__doc__.split(";")[0]
    'Yield every member with its content where that is wanted'
    """

    def members(
        self, budget: ArchiveBudget, wanted: Collection[int] = ()
    ) -> Iterator[tuple[ArchiveMember, bytes | None]]:
        """Yield every member with its content where that is wanted; all of the archive is looked at in any case.

        Args:
            budget: The bounds of this pass.
            wanted: The indexes of the members whose content is wanted.

        Raises:
            LimitExceededError: A bound of the whole archive was reached; what follows is not known.
            ResourceUnavailableError: It is no such archive, or damaged; what follows is not known.
        """
        ...
