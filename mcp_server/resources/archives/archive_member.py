"""One member of an archive."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mcp_server.resources.archives.member_names import parts_of_name
from mcp_server.resources.archives.member_refusal import ABOUT_NAMES, MemberRefusal


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """What an archive says of a member, and why it is left out where it is.

    Args:
        index: Its place in the archive, from 0.
        name: Its name as it is written there; bytes that are no UTF-8 as surrogates.
        size_bytes: How large it is; 0 for a directory.
        is_directory: Whether it is a directory.
        refusal: Why it is left out; None when it is a plain file or directory of a plain name.

    >>> ArchiveMember(0, "./a/b.txt", 3).parts
    ('a', 'b.txt')
    """

    index: int
    name: str
    size_bytes: int = 0
    is_directory: bool = False
    refusal: MemberRefusal | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The names one below the other that it is made of; none for the directory that everything goes to."""
        return parts_of_name(self.name)

    @property
    def has_plain_name(self) -> bool:
        """Whether its name is a plain one, whatever else there is against it."""
        return self.refusal not in ABOUT_NAMES

    def refused(self, refusal: MemberRefusal) -> ArchiveMember:
        """Return the member as one that is left out; the first reason stays."""
        return self if self.refusal is not None else replace(self, refusal=refusal)
