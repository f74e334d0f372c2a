"""From the text a client wrote to a place below one of its roots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.names import quoted
from mcp_server.resources.filesystem.root import Root

MAX_PATH_BYTES: Final = 4095
MAX_NAME_BYTES: Final = 255
MAX_PARTS: Final = 1024

# Our half-written files: hidden from listings, and no client may name them. 128 random bits make the name unguessable.
TEMPORARY_PREFIX: Final = ".mcp-server-"
TEMPORARY_NAME: Final = re.compile(r"\.mcp-server-[0-9a-f]{32}\.tmp", re.ASCII)


class PathParser:
    """Splits text into names; touches no file, so it can be called before anything is permitted.

    A relative path starts at the first root. An absolute one is accepted where it lies, name by name, below the name
    of a root. Nothing is expanded, decoded or normalised: `~`, `%2e` and a backslash are letters of a name. `..` is
    refused rather than resolved, for what it means depends on links.

    The string is not the barrier: that is the opener, which never leaves the root whatever the names are.

    Args:
        roots: The client's folders.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = Root(RootConfig(folder))
    ...     parser = PathParser([root])
    ...     print(parser.parse("./a//b.txt").parts, parser.parse(folder + "/c").parts)
    ...     root.close()
    ('a', 'b.txt') ('c',)
    """

    __slots__ = ("_by_length", "_first", "_is_nested")

    def __init__(self, roots: Sequence[Root]) -> None:
        self._first = roots[0] if roots else None
        names = [(parts, root) for root in roots for parts in root.public_parts]
        # The longest name first, so that a folder inside another folder has its own rules.
        self._by_length = sorted(names, key=lambda pair: len(pair[0]), reverse=True)
        self._is_nested = any(
            inner is not outer and below[: len(above)] == above for below, inner in names for above, outer in names
        )

    def parse(self, text: str) -> FileLocation:
        """Return the location `text` names.

        Raises:
            SandboxViolationError: `escape` when it lies outside every root, `name` when it is no usable path.
        """
        self._check_text(text)
        parts = [part for part in text.split("/") if part and part != "."]
        self._check_parts(text, parts)
        if text[0] != "/":
            if self._first is None:
                raise SandboxViolationError("escape", "this client has no folder")
            return self.innermost(self._first, tuple(parts))
        for public, root in self._by_length:
            if tuple(parts[: len(public)]) == public:
                return self.innermost(root, tuple(parts[len(public) :]))
        raise SandboxViolationError("escape", f"{quoted(text)} lies outside the folders of this client")

    def innermost(self, root: Root, parts: tuple[str, ...]) -> FileLocation:
        """Return the place in the innermost folder that holds it: its rules hold however the path was written.

        Args:
            root: A folder that holds it.
            parts: The names below that folder.
        """
        if self._is_nested:
            for outer in root.public_parts:
                whole = (*outer, *parts)
                for public, inner in self._by_length:
                    if inner is not root and len(public) > len(outer) and whole[: len(public)] == public:
                        return FileLocation(inner, whole[len(public) :])
        return FileLocation(root, parts)

    @staticmethod
    def _check_text(text: str) -> None:
        if not text:
            raise SandboxViolationError("name", "a path is a text that is not empty; '.' is the folder itself")
        if "\0" in text:
            raise SandboxViolationError("name", "the path holds a NUL character")
        if len(text) > MAX_PATH_BYTES or (not text.isascii() and _utf8_length(text) > MAX_PATH_BYTES):
            raise SandboxViolationError("name", f"{quoted(text)} is longer than {MAX_PATH_BYTES} bytes")

    @staticmethod
    def _check_parts(text: str, parts: list[str]) -> None:
        if len(parts) > MAX_PARTS:
            raise SandboxViolationError("name", f"{quoted(text)} has more than {MAX_PARTS} names")
        for part in parts:
            if part == "..":
                raise SandboxViolationError(
                    "escape", f"{quoted(text)} holds '..'; write the path from the folder downwards"
                )
            if len(part) > MAX_NAME_BYTES or (not part.isascii() and _utf8_length(part) > MAX_NAME_BYTES):
                raise SandboxViolationError("name", f"{quoted(text)} holds a name longer than {MAX_NAME_BYTES} bytes")
            if part.startswith(TEMPORARY_PREFIX) and TEMPORARY_NAME.fullmatch(part):
                raise SandboxViolationError("name", f"{quoted(text)} is a name this server keeps for itself")


def _utf8_length(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise SandboxViolationError("name", f"{quoted(text)} is not valid Unicode") from error
