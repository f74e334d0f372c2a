"""One name in a directory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.names import escaped, raw_base64


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A name as it is on disk, and what it stands for.

    Args:
        name: The name itself; may hold surrogates where the bytes are no text. Show `display` instead.
        kind: What it is.
        size: Its size in bytes.
        modified: When it last changed, in seconds since the epoch.

    >>> DirectoryEntry("a\\nb", FileKind.FILE, 1, 0.0).display
    'a\\\\nb'
    """

    name: str
    kind: FileKind
    size: int
    modified: float

    @property
    def display(self) -> str:
        """The name, with everything that does not show as itself escaped."""
        return escaped(self.name)

    @property
    def raw_name(self) -> str | None:
        """The bytes of the name in base64 where it is no text, else None."""
        return raw_base64(self.name)


def entry_of(directory: int, name: str, kind: FileKind) -> DirectoryEntry | None:
    """Return what stands under a name of an open directory; None where nothing does any more.

    Args:
        directory: A descriptor of the directory.
        name: The name in it.
        kind: What the directory said it is, for what cannot be looked at.

    >>> descriptor = os.open("/", os.O_RDONLY)
    >>> entry_of(descriptor, "proc", FileKind.DIRECTORY).kind, entry_of(descriptor, "no such name", FileKind.FILE)
    (<FileKind.DIRECTORY: 'directory'>, None)
    >>> os.close(descriptor)
    """
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError:
        return DirectoryEntry(name, kind, 0, 0.0)
    return DirectoryEntry(name, FileKind.of(status.st_mode), status.st_size, status.st_mtime)
