"""Paths: a text is refused, or means one place below a root, and everybody who reads that place reads the same."""

from __future__ import annotations

import os.path
from typing import Any

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.path_parser import MAX_NAME_BYTES, MAX_PATH_BYTES, TEMPORARY_NAME, PathParser
from mcp_server.security.permissions.resource_text import forbidden_character, path_parts

name = "path"

corpus = (
    b"a.txt",
    b"notes/2026/may.md",
    b"./a//b/./c.txt",
    b"/srv/desk/a.txt",
    b"/srv/desk",
    b"/srv/desk/inner/b.txt",
    b"/srv/deskside/a.txt",
    b"/real/desk/a.txt",
    b"../secret",
    b"a/../../b",
    b"/srv/desk/../../etc/passwd",
    b"~/.ssh/id_ed25519",
    b"%2e%2e/a",
    b"..\\a",
    "café/\u202ea".encode(),
    b".mcp-server-" + b"0" * 32 + b".tmp",
    b"a" * 254 + b"/b",
    b"a/" * 200,
)

MAX_MESSAGE = 2_500


class Folder:
    """What the parser knows of a root; nothing is opened."""

    def __init__(self, path: str, *others: str) -> None:
        self.path = path
        self.public_parts = tuple(tuple(each.strip("/").split("/")) for each in (path, *others))


OUTER: Any = Folder("/srv/desk", "/real/desk")
INNER: Any = Folder("/srv/desk/inner")
PARSER = PathParser([OUTER, INNER])


def _expected(text: str) -> str | None:
    """Return where the text points, by the standard library; None when it must be refused."""
    names = [each for each in text.split("/") if each not in ("", ".")]
    if not text or "\0" in text or ".." in names or len(names) > 1024:
        return None
    try:
        too_long = len(text.encode()) > MAX_PATH_BYTES or any(len(each.encode()) > MAX_NAME_BYTES for each in names)
    except UnicodeEncodeError:
        return None
    if too_long or any(TEMPORARY_NAME.fullmatch(each) for each in names):
        return None
    # Two slashes at the start are one here, as they are to Linux.
    place = os.path.normpath(os.path.join("/srv/desk", "/" + text.lstrip("/") if text.startswith("/") else text))
    if place == "/real/desk" or place.startswith("/real/desk/"):
        place = "/srv/desk" + place.removeprefix("/real/desk")
    return place if place == "/srv/desk" or place.startswith("/srv/desk/") else None


def run(data: bytes) -> None:
    """Parse the input in two readings."""
    for text in (data.decode("utf-8", "replace"), data.decode("utf-8", "surrogateescape")):
        refusal: SandboxViolationError | None = None
        try:
            location = PARSER.parse(text)
        except SandboxViolationError as error:
            refusal = error
        if refusal is not None:
            assert _expected(text) is None
            assert refusal.reason in ("escape", "name")
            # Whatever was sent comes back shortened.
            assert len(refusal.message) < MAX_MESSAGE
            continue
        absolute = location.absolute
        assert absolute == _expected(text)
        assert all(part not in ("", ".", "..") and "/" not in part and "\0" not in part for part in location.parts)
        assert PARSER.parse(absolute).absolute == absolute
        if absolute.startswith("/srv/desk/inner/"):
            # A folder in a folder has its own rules, however the path was written.
            assert location.root is INNER
        if forbidden_character(absolute) is None:
            # The policy reads the same names.
            assert path_parts(absolute) == (True, tuple(absolute[1:].split("/")))
            assert path_parts(location.relative) == (False, location.parts)
