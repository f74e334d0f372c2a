"""How names of files are shown to people and models.

A name may hold anything but `/` and NUL: a newline that forges a second line of a listing, an escape sequence, letters
that turn the reading direction, bytes that are no text at all. Names are compared as they are; here they are made fit
to be seen.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# Cc are control characters, Cf the invisible ones (among them the bidirectional overrides), Cs lone surrogates (bytes
# that are no UTF-8), Zl and Zp separate lines.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# The two joiners are invisible as well, but Persian, Indic scripts and composed emoji are spelt with them.
_JOINERS: Final = frozenset("\u200c\u200d")
_MAX_SHOWN_CHARACTERS: Final = 200


def is_plain(name: str) -> bool:
    """Return whether a name can be shown as it is.

    >>> is_plain("été.txt"), is_plain("a\\nb"), is_plain("\\u202egpj.exe")
    (True, False, False)
    """
    if name.isascii():
        return name.isprintable()
    return not any(map(_is_hidden, name))


def escaped(name: str) -> str:
    """Return the name with everything that does not show as itself written as an escape.

    >>> escaped("a\\nb"), escaped("\\x1b[2J"), escaped("\\udcff"), escaped("plain")
    ('a\\\\nb', '\\\\x1b[2J', '\\\\xff', 'plain')
    """
    if is_plain(name):
        return name
    return "".join(_escape(character) for character in name)


def raw_base64(name: str) -> str | None:
    """Return the bytes of a name that is no text, in base64; None for a name that is text.

    >>> raw_base64("\\udcff"), raw_base64("a")
    ('/w==', None)
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        import base64

        return base64.b64encode(name.encode("utf-8", "surrogateescape")).decode("ascii")
    return None


def quoted(text: str) -> str:
    """Return a path of the client for an error message: escaped, shortened and in quotation marks.

    >>> quoted("a\\tb")
    "'a\\\\tb'"
    """
    shown = text if len(text) <= _MAX_SHOWN_CHARACTERS else text[:_MAX_SHOWN_CHARACTERS] + "…"
    return f"'{escaped(shown)}'"


def folded(name: str) -> str:
    """Return what a file system that knows no case, and one form of each letter, takes a name for.

    >>> folded("README") == folded("readme"), folded("e\u0301") == folded("\xc9")
    (True, True)
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS


def _escape(character: str) -> str:
    if not _is_hidden(character):
        return character
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
