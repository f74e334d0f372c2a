"""All the names of an archive, and which of them are in each other's way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.filesystem.names import folded


class NameTable:
    """Which spellings and kinds every name of an archive has, the directories above it included.

    Args:
        members: The members; those whose own name is no plain one are in nobody's way.
        max_names: Most names; with more, `is_full` says so, and nothing else is known.

    >>> table = NameTable([ArchiveMember(0, "a"), ArchiveMember(1, "a/b")], max_names=10)
    >>> table.refusal_of(ArchiveMember(1, "a/b"))
    <MemberRefusal.OTHER_KIND: 'a file and a directory of the same name'>
    """

    __slots__ = ("_files", "_folders", "_spellings", "is_full")

    def __init__(self, members: Iterable[ArchiveMember], *, max_names: int) -> None:
        # By the name as a file system without case has it.
        self._spellings: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        self._files: Counter[tuple[str, ...]] = Counter()
        self._folders: set[tuple[str, ...]] = set()
        self.is_full = False
        for member in members:
            if member.has_plain_name:
                self._add(member)
            if len(self._spellings) > max_names:
                self.is_full = True
                break

    def refusal_of(self, member: ArchiveMember) -> MemberRefusal | None:
        """Return why a member is in another's way, None when it is not."""
        parts = tuple(folded(part) for part in member.parts)
        above = [parts[:length] for length in range(1, len(parts))]
        if any(self._spellings[name] is None for name in (*above, parts) if name):
            return MemberRefusal.CASE
        if any(name in self._files for name in above) or (parts in self._files and parts in self._folders):
            return MemberRefusal.OTHER_KIND
        return MemberRefusal.DUPLICATE if self._files[parts] > 1 else None

    def _add(self, member: ArchiveMember) -> None:
        parts = member.parts
        whole = tuple(folded(part) for part in parts)
        for length in range(len(parts), 0, -1):
            name, spelling = whole[:length], parts[:length]
            if length < len(parts) and name in self._folders and self._spellings[name] == spelling:
                # Those above it came with it.
                break
            if self._spellings.setdefault(name, spelling) != spelling:
                # Two spellings: neither holds.
                self._spellings[name] = None
            if length < len(parts) or member.is_directory:
                self._folders.add(name)
            else:
                self._files[name] += 1
