"""What would come out of an archive, looked at as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.archive_reader import ArchiveReader
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.archives.name_table import NameTable


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """Every member of an archive, with the reasons that only show when all of them are known.

    Two members of one name, or of names that some file systems take for one, are both left out: which of them counts is
    decided differently by different programs. A link of the same name counts as well, so nothing is written where an
    archive wants a link. Of an archive that cannot be read to its end nothing is written at all.

    Args:
        members: The members in their order.
        stopped: Why the archive could not be read to its end; None where it could.

    >>> import io, zipfile
    >>> from mcp_server.resources.archives.archive_limits import ArchiveLimits
    >>> from mcp_server.resources.archives.zip_reader import ZipReader
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as archive:
    ...     for name in ("a/b.txt", "a/B.txt", "../c"):
    ...         archive.writestr(name, "")
    >>> plan = ArchivePlan.of(ZipReader(file), ArchiveBudget(ArchiveLimits()))
    >>> [str(member.refusal) for member in plan.members]  # doctest: +NORMALIZE_WHITESPACE
    ['its name differs from another in case alone', 'its name differs from another in case alone',
     'a name that leads upwards']
    """

    members: tuple[ArchiveMember, ...]
    stopped: str | None = None

    @classmethod
    def of(cls, reader: ArchiveReader, budget: ArchiveBudget) -> Self:
        """Return the plan of an archive, which is read through once.

        Raises:
            LimitExceededError: A bound was reached before anything was read.
            ResourceUnavailableError: Nothing could be read.
        """
        members: list[ArchiveMember] = []
        stopped = None
        try:
            for member, _ in reader.members(budget):
                members.append(member)
        except (LimitExceededError, ResourceUnavailableError) as error:
            if not members:
                raise
            stopped = error.message
        names = NameTable(members, max_names=budget.limits.max_members)
        if stopped is None and names.is_full:
            stopped = f"its names lead to more than {budget.limits.max_members} files and directories"
        if stopped is None:
            judged = [_judged(member, names) for member in members]
        else:
            judged = [member.refused(MemberRefusal.INCOMPLETE) for member in members]
        return cls(tuple(judged), stopped)

    @property
    def accepted(self) -> tuple[ArchiveMember, ...]:
        """The members that would be written."""
        return tuple(member for member in self.members if member.refusal is None)

    @property
    def directories(self) -> tuple[tuple[str, ...], ...]:
        """The directories below the destination that have to be there, those above before those below."""
        found: set[tuple[str, ...]] = set()
        for member in self.accepted:
            parts = member.parts if member.is_directory else member.parts[:-1]
            # Whoever has a directory has those above it already.
            while parts and parts not in found:
                found.add(parts)
                parts = parts[:-1]
        return tuple(sorted(found))


def _judged(member: ArchiveMember, names: NameTable) -> ArchiveMember:
    if member.refusal is not None:
        return member
    refusal = names.refusal_of(member)
    return member if refusal is None else member.refused(refusal)
