"""What everybody may ask of a client's files, wherever they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.directory_listing import DirectoryListing
    from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher
    from mcp_server.resources.filesystem.file_content import FileContent
    from mcp_server.resources.filesystem.file_kind import FileKind
    from mcp_server.resources.filesystem.file_limits import FileLimits
    from mcp_server.resources.filesystem.file_location import FileLocation
    from mcp_server.resources.filesystem.file_stat import FileStat
    from mcp_server.resources.filesystem.pinned_file import PinnedFile
    from mcp_server.resources.filesystem.root import Root
    from mcp_server.resources.filesystem.tree_walk import TreeWalk


class ClientFiles(Protocol):
    """Everything one client does with files, within its folders.

    The two implementations, in the server's own process and in a broker, are held to the same behaviour by the same
    tests; what each method does is said at `FileSystemManager`.

    >>> from mcp_server.resources.filesystem_manager import FileSystemManager
    >>> files: ClientFiles = FileSystemManager(roots=[])
    >>> files.answers_at_once
    True
    """

    @property
    def limits(self) -> FileLimits:
        """Bounds of single operations."""

    @property
    def roots(self) -> tuple[Root, ...]:
        """The client's folders; relative paths start at the first."""

    @property
    def answers_at_once(self) -> bool:
        """Whether what a folder says is quick may be asked on the event loop; else nothing that opens is."""

    def locate(self, text: str) -> FileLocation:
        """Return where the client's `text` points; touches no file."""

    def pin(self, location: FileLocation, *, kind: Literal["any", "file", "directory"] = "any") -> PinnedFile:
        """Hold what is there, checked, so that later use means this very inode."""

    def read(self, target: FileLocation | PinnedFile, *, offset: int = 0, max_bytes: int | None = None) -> FileContent:
        """Read a file, or the part of it from `offset` on."""

    def write(
        self, location: FileLocation, data: bytes, *, create_only: bool = False, if_match: str | None = None
    ) -> FileStat:
        """Write a whole file: afterwards it is the new one, and until then the old one."""

    def check_change(self, location: FileLocation, *, whole: bool = True) -> None:
        """Raise where nothing is ever written, by its name or its folder; touches no file."""

    def make_directory(self, location: FileLocation, *, parents: bool = True, exist_ok: bool = True) -> bool:
        """Make a directory and return whether it is new."""

    def list_directory(
        self, target: FileLocation | PinnedFile, *, offset: int = 0, max_entries: int | None = None
    ) -> DirectoryListing:
        """Return one page of a directory, sorted by name."""

    def walk(
        self,
        target: FileLocation | PinnedFile,
        *,
        max_entries: int | None = None,
        max_depth: int | None = None,
        admit: Callable[[FileLocation, FileKind], bool] | None = None,
    ) -> TreeWalk:
        """Return a bounded walk through what lies below a directory; close it, or let it end."""

    def move(self, source: FileLocation, destination: FileLocation) -> None:
        """Give a file or directory another name; nothing is ever replaced."""

    def delete(self, location: FileLocation, *, recursive: bool = False) -> None:
        """Remove a file, a link itself, or a directory."""

    def stat(self, target: FileLocation | PinnedFile) -> FileStat:
        """Return what is known without opening it; of a link that it is one."""

    def watch(self, location: FileLocation, watcher: DirectoryWatcher) -> None:
        """Let `watcher` report changes of a file, which need not exist yet; its directory must."""

    def sweep(self) -> int:
        """Remove half-written files whose writer is gone, in every writable folder, and return how many."""

    def close(self) -> None:
        """Let go of the folders, once the last operation that uses them is done."""
