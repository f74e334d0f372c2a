"""Names of members: which of them are plain names of files below a directory.

No name is repaired. What two programs could read as two different places is refused, for whoever looked at the archive
before may have used the other program.
"""

from __future__ import annotations

import re
from typing import Final

from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.filesystem.names import is_plain

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_MAX_PART_BYTES: Final = 255


def decoded(data: bytes, limits: ArchiveLimits) -> str:
    r"""Return the bytes of a name as text; what is no UTF-8 becomes surrogates, which `refusal_of_name` refuses.

    Of a name that is too long there is enough to show that it is: names are kept for all members.

    >>> decoded(b"a\xff", ArchiveLimits())
    'a\udcff'
    """
    return data[: limits.max_name_bytes + 1].decode("utf-8", "surrogateescape")


def refusal_of_name(name: str, limits: ArchiveLimits) -> MemberRefusal | None:
    """Return why a member of that name is left out, None when it is a plain one.

    A leading `./` and, of a directory, a slash at the end are usual; `.` is where everything goes.

    >>> refusal_of_name("./a/b.txt", ArchiveLimits()), str(refusal_of_name("a/../../b", ArchiveLimits()))
    (None, 'a name that leads upwards')
    """
    parts = _relevant(name).split("/")
    # What is an attack comes before what is merely bad, so that the reason says which.
    checks = (
        (name.startswith("/"), MemberRefusal.ABSOLUTE),
        (".." in re.split(r"[/\\]", name), MemberRefusal.UPWARDS),
        (_DRIVE.match(name) is not None, MemberRefusal.DRIVE),
        ("\\" in name, MemberRefusal.BACKSLASH),
        (_length(name) > limits.max_name_bytes, MemberRefusal.NAME_TOO_LONG),
        (any("\udc80" <= letter <= "\udcff" for letter in name), MemberRefusal.NOT_UTF8),
        (not is_plain(name), MemberRefusal.HIDDEN),
        (any(_length(part) > _MAX_PART_BYTES for part in parts), MemberRefusal.NAME_TOO_LONG),
        (len(parts) > limits.max_depth, MemberRefusal.TOO_DEEP),
        (name == "" or (parts != [""] and any(part in ("", ".") for part in parts)), MemberRefusal.UNUSUAL),
    )
    return next((refusal for is_so, refusal in checks if is_so), None)


def parts_of_name(name: str) -> tuple[str, ...]:
    """Return the names one below the other that a plain name is made of; none for `.`.

    >>> parts_of_name("./a/b/"), parts_of_name("./")
    (('a', 'b'), ())
    """
    relevant = _relevant(name)
    return tuple(relevant.split("/")) if relevant else ()


def _relevant(name: str) -> str:
    name = name.removesuffix("/") if name != "/" else name
    return "" if name == "." else name.removeprefix("./")


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
