"""How the text of a resource is read before anything is compared with it.

The rules for paths and for names are the same on both sides of a match: what a pattern may not contain, a resource may
not contain either, so that nothing slips between two readings of one text.

Source: the path rules of POSIX.1-2024, 3.254 and 4.16; Unicode 15, 3.13 "Default Caseless Matching".
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

# Linux: NAME_MAX and PATH_MAX. Longer ones cannot be opened, so nothing useful is refused.
MAX_NAME_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4096

# The code points that Unicode calls default-ignorable: invisible, and dropped by file systems that fold case (HFS+,
# and ext4 with the casefold feature), where `.s<zero width>sh` opens `.ssh`. Starts, and ends exclusive, alternating.
_IGNORABLE: Final = (
    0xAD, 0xAE, 0x34F, 0x350, 0x61C, 0x61D, 0x115F, 0x1161, 0x17B4, 0x17B6, 0x180B, 0x1810, 0x200B, 0x2010,
    0x202A, 0x202F, 0x2060, 0x2070, 0x3164, 0x3165, 0xFE00, 0xFE10, 0xFEFF, 0xFF00, 0xFFA0, 0xFFA1,
    0xFFF0, 0xFFF9, 0x1BCA0, 0x1BCA4, 0x1D173, 0x1D17B, 0xE0000, 0xE1000,
)  # fmt: skip


def forbidden_character(text: str) -> str | None:
    """Return the name of the first character that no pattern and no resource may hold, None when there is none.

    These are NUL and the other control characters (C0, DEL, C1), and unpaired surrogates, by which Python carries
    bytes that are no UTF-8.

    >>> forbidden_character("notes/a.md"), forbidden_character("a\\nb")
    (None, 'U+000A')
    """
    if text.isprintable():
        return None
    for character in text:
        code = ord(character)
        if code < 0x20 or 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF:
            return f"U+{code:04X}"
    return None


def path_parts(path: str) -> tuple[bool, tuple[str, ...]]:
    """Split a canonical path into whether it is absolute and its names.

    Canonical means: as the kernel would name an opened file. There is one way to write it: no empty name, no `.` or
    `..`, no trailing slash; `.` alone is the folder itself, `/` alone the root.

    Raises:
        ValueError: The path is not canonical, holds a forbidden character or is too long.

    >>> path_parts("/data/a.txt"), path_parts(".")
    ((True, ('data', 'a.txt')), (False, ()))
    """
    if path == ".":
        return False, ()
    if path == "/":
        return True, ()
    if not path:
        raise ValueError("is empty")
    bad = forbidden_character(path)
    if bad is not None:
        raise ValueError(f"holds the character {bad}")
    is_absolute = path[0] == "/"
    parts = tuple(path[1:].split("/") if is_absolute else path.split("/"))
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError(f"holds the name {part!r}")
        # A character takes at most four bytes: only long names need to be counted.
        if len(part) > MAX_NAME_BYTES // 4 and len(part.encode()) > MAX_NAME_BYTES:
            raise ValueError(f"holds a name longer than {MAX_NAME_BYTES} bytes")
    if len(path) > MAX_PATH_BYTES // 4 and len(path.encode()) > MAX_PATH_BYTES:
        raise ValueError(f"is longer than {MAX_PATH_BYTES} bytes")
    return is_absolute, parts


def fold(text: str) -> str:
    """Return the form in which denials compare names: caseless, composed, without invisible characters.

    Two names that some file system takes for one have one folded form, so that a denial written for `.ssh` holds for
    `.SSH`, and one for a composed `é` holds for `e` with an accent after it.

    >>> fold(".SSH") == fold(".ssh"), fold("cafe\\u0301") == fold("caf\\u00e9")
    (True, True)
    """
    if text.isascii():
        return text.lower()
    from unicodedata import normalize

    visible = "".join(c for c in text if c.isascii() or not bisect_right(_IGNORABLE, ord(c)) % 2)
    # Decomposed first, for case folding is defined on that; once more after it, for folding may decompose.
    folded = normalize("NFD", normalize("NFD", visible).casefold()).casefold()
    return normalize("NFC", folded)
