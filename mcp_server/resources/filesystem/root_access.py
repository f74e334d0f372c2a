"""What every operation on files has in common: opening within a root, and the rules for changing."""

from __future__ import annotations

import os
import stat
from typing import Final, Literal

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.names import is_plain
from mcp_server.resources.filesystem.os_errors import shown, translated
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.protected_names import ProtectedNames

_HANDLE: Final = os.O_PATH | os.O_NOFOLLOW
_DIRECTORY: Final = os.O_DIRECTORY | os.O_RDONLY


class RootAccess:
    """Opens locations within their roots and says what may be changed; holds no state of a call.

    Args:
        opener: How paths are opened.
        protected: Names that are not written.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root import Root
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     access = RootAccess(opener=WalkingOpener(), protected=ProtectedNames())
    ...     with access.pin(FileLocation(Root(RootConfig(folder)), ()), kind="directory") as pinned:
    ...         print(pinned.kind)
    directory
    """

    __slots__ = ("opener", "protected")

    def __init__(self, *, opener: PathOpener, protected: ProtectedNames) -> None:
        self.opener = opener
        self.protected = protected

    def handle(self, location: FileLocation) -> int:
        """Return an `O_PATH` descriptor of whatever is there, a link in the last place included."""
        return self._open(location, _HANDLE)

    def directory(self, location: FileLocation) -> int:
        """Return a readable descriptor of the directory that is there.

        Opening it at once is safe: a directory has no side effects, and the kernel refuses anything else unopened.
        """
        return self._open(location, _DIRECTORY)

    def pin(self, location: FileLocation, *, kind: Literal["any", "file", "directory"] = "any") -> PinnedFile:
        """Hold what is there, after its kind and number of names were found acceptable.

        Raises:
            SandboxViolationError: `symlink`, `special`, `hardlink`, `mount`.
            ResourceUnavailableError: It is missing or of the other kind.
        """
        descriptor = self.handle(location)
        try:
            status = os.fstat(descriptor)
            self.check_kind(status, location, kind)
        except BaseException:
            os.close(descriptor)
            raise
        return PinnedFile(location, descriptor, status)

    @staticmethod
    def check_kind(
        status: os.stat_result, location: FileLocation, kind: Literal["any", "file", "directory"] = "any"
    ) -> None:
        """Raise unless an inode is a file or a directory as wanted, and no file with a second name elsewhere."""
        mode = status.st_mode
        if stat.S_ISREG(mode):
            if kind == "directory":
                raise ResourceUnavailableError("not_a_directory", f"{shown(location)} is not a directory")
            if status.st_nlink > 1 and not location.root.config.allow_hardlinks:
                raise SandboxViolationError(
                    "hardlink", f"{shown(location)} has a second name, which may lie outside the folder (hard link)"
                )
        elif stat.S_ISDIR(mode):
            if kind == "file":
                raise ResourceUnavailableError("is_a_directory", f"{shown(location)} is a directory")
        elif stat.S_ISLNK(mode):
            raise SandboxViolationError("symlink", f"{shown(location)} is a symbolic link, and links are not followed")
        else:
            raise SandboxViolationError("special", f"{shown(location)} is neither a file nor a directory")

    def check_change(self, location: FileLocation) -> None:
        """Raise unless `location` may be created, replaced, moved or removed as far as its name and folder say.

        Raises:
            SandboxViolationError: `protected`.
        """
        if not location.root.writable:
            raise SandboxViolationError("protected", f"{shown(location)} is in a folder that is only read")
        if ".." in location.parts or "/" in location.name:
            # No parser lets these through; a barrier does not count on that.
            raise SandboxViolationError("escape", f"{shown(location)} leads out of its folder")
        if not location.parts:
            raise SandboxViolationError("protected", "the folder itself is neither moved, replaced nor removed")
        if self.protected.covers(location.parts):
            raise SandboxViolationError(
                "protected", f"{shown(location)} is a protected name: other programs run or trust what stands there"
            )

    def check_whole(self, location: FileLocation) -> None:
        """Raise where something protected would hang below `location` by its own names.

        Raises:
            SandboxViolationError: `protected`.
        """
        if self.protected.leads_to(location.parts):
            raise SandboxViolationError("protected", f"{shown(location)} holds protected names")

    @staticmethod
    def check_new_name(location: FileLocation) -> None:
        """Raise unless the name may be given to something new.

        Raises:
            SandboxViolationError: `name`: it holds control characters or others that hide what it is.
        """
        if not is_plain(location.name):
            raise SandboxViolationError("name", f"{shown(location)} holds characters that do not show")

    def _open(self, location: FileLocation, flags: int) -> int:
        root = location.root
        try:
            return self.opener.open(root.fd, location.parts, flags, cross_mounts=root.config.cross_mounts)
        except OSError as error:
            raise translated(error, location) from error
