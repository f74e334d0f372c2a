"""What stands before a member of a tar archive, about it."""

from __future__ import annotations

from typing import Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError

_UTF8: Final = (b"ISO-IR 10646 2000 UTF-8",)
_NAME_FIELD_BYTES: Final = 100
# What a global header may say: it is about the archive, or about times and owners, which are not restored.
_ABOUT_ALL: Final = (b"comment", b"mtime", b"atime", b"ctime", b"uid", b"gid", b"uname", b"gname")


class TarAttributes:
    """The long name and the other records that are about the next member, in the two ways there are.

    >>> attributes = TarAttributes()
    >>> attributes.add(b"x", b"12 path=abc\\n")
    >>> attributes.name
    b'abc'
    """

    __slots__ = ("_kinds", "_names", "_records")

    def __init__(self) -> None:
        self._kinds: set[bytes] = set()
        self._records: dict[bytes, bytes] = {}
        self._names: list[bytes] = []

    def add(self, kind: bytes, data: bytes) -> None:
        """Take in what a header of the kind `x` or `g` (pax), or `L` or `K` (GNU), holds.

        Raises:
            ResourceUnavailableError: It cannot be read, would change all members that follow, or is the second of its
                kind, which nobody needs and which would let what is kept grow without a bound.
        """
        if kind in self._kinds:
            raise ResourceUnavailableError("io", "the attributes of a member are written twice")
        if kind != b"g":
            self._kinds.add(kind)
        if kind == b"L":
            self._names.append(data.split(b"\0", 1)[0])
        elif kind == b"g":
            if any(name not in _ABOUT_ALL for name, _ in _records(data)):
                raise ResourceUnavailableError("io", "a header would change all members that follow")
        elif kind != b"K":
            for name, value in _records(data):
                if name == b"path":
                    self._names.append(value)
                elif name == b"size" and name in self._records:
                    raise ResourceUnavailableError("io", "the size of a member is written twice")
                self._records[name] = value

    @property
    def name(self) -> bytes | None:
        """The name, None where the header's own holds."""
        return self._names[-1] if self._names else None

    @property
    def size(self) -> int | None:
        """The size, None where the header's own holds.

        Raises:
            ResourceUnavailableError: It is no number.
        """
        written = self._records.get(b"size")
        if written is None:
            return None
        if not written.isdigit() or len(written) > len(str(2**63)):
            raise ResourceUnavailableError("io", "the size of a member is no number")
        return int(written)

    @property
    def is_contradictory(self) -> bool:
        """Whether there is more than one name, or one with a NUL, behind which some programs see nothing."""
        return len(self._names) > 1 or any(b"\0" in name for name in self._names)

    @property
    def is_sparse(self) -> bool:
        """Whether the content is a map with what is not empty."""
        return any(name.startswith(b"GNU.sparse.") for name in self._records)

    @property
    def is_utf8(self) -> bool:
        """Whether the records are said to be what they have to be."""
        return self._records.get(b"hdrcharset", _UTF8[0]) in _UTF8

    def is_long_form_of(self, short: bytes) -> bool:
        """Whether a header's own name `short` is what is left of the name where it is cut to fit, or made ASCII.

        A program that does not know these records goes by the header's name; so it must not be another one.
        """
        name = self.name or b""
        text = name.decode("utf-8", "replace")
        forms = (name, text.encode("ascii", "replace"), text.encode("ascii", "ignore"))
        # A program may leave out the end of the field for a NUL.
        is_cut = len(short) >= _NAME_FIELD_BYTES - 1
        return any(form == short or (is_cut and form.startswith(short)) for form in forms)


def _records(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the records of a pax header: length, a space, a name, `=`, a value and a newline.

    Source: POSIX.1-2017, pax(1), "pax Extended Header".
    """
    found: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(data):
        end = data.find(b" ", position, position + len(str(len(data))) + 1)
        length = data[position:end]
        if end < 0 or not length.isdigit():
            raise _unreadable()
        record = data[end + 1 : position + int(length)]
        name, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not record.endswith(b"\n") or not equals or not name or position + int(length) > len(data):
            raise _unreadable()
        found.append((name, value))
        position += int(length)
    return found


def _unreadable() -> ResourceUnavailableError:
    return ResourceUnavailableError("io", "the attributes of a member cannot be read")
