"""Why a member of an archive is left out."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class MemberRefusal(StrEnum):
    """The reasons, in words that a person and a model read alike.

    >>> str(MemberRefusal.SYMLINK)
    'symbolic link'
    """

    ABSOLUTE = "absolute name"
    UPWARDS = "a name that leads upwards"
    DRIVE = "a name with a drive letter"
    BACKSLASH = "a name with a backslash"
    HIDDEN = "a name with characters that do not show"
    NOT_UTF8 = "a name that is not UTF-8"
    UNUSUAL = "an unusual name"
    NAME_TOO_LONG = "a name that is too long"
    TOO_DEEP = "too deep"
    RENAMED = "a second, other name"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    SPECIAL = "special file"
    PRIVILEGED = "setuid or setgid bit"
    SPARSE = "sparse file"
    UNKNOWN_KIND = "unknown kind of member"
    DUPLICATE = "its name occurs twice"
    CASE = "its name differs from another in case alone"
    OTHER_KIND = "a file and a directory of the same name"
    ENCRYPTED = "encrypted"
    METHOD = "unknown compression"
    OVERLAP = "it overlaps another member"
    CONTRADICTION = "its header contradicts the directory of the archive"
    DAMAGED = "damaged"
    TOO_LARGE = "too large"
    RATIO = "it grows too much"
    INCOMPLETE = "the archive cannot be read to its end"


ABOUT_NAMES: Final = frozenset(
    {
        MemberRefusal.ABSOLUTE,
        MemberRefusal.UPWARDS,
        MemberRefusal.DRIVE,
        MemberRefusal.BACKSLASH,
        MemberRefusal.HIDDEN,
        MemberRefusal.NOT_UTF8,
        MemberRefusal.UNUSUAL,
        MemberRefusal.NAME_TOO_LONG,
        MemberRefusal.TOO_DEEP,
        MemberRefusal.RENAMED,
    }
)
"""Those for which the name itself is the reason."""
