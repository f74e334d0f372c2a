"""Writing many new files at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.isolation.refusal import Refusal, refusal_of
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    from mcp_server.security.access_gate import AccessGate


class WritePlan:
    """Tell what of many new files could not be written, and ask for the rest of them in one question.

    Nothing is granted here that `write_bytes` would not ask for again; but where a human is asked, he is asked once.

    Args:
        files: The client's files.
        gate: Decides on every access.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem_manager import FileSystemManager
    >>> class Open:
    ...     def could_allow(self, permission_type, resource, relative=None):
    ...         return True
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = FileSystemManager(roots=[RootConfig(folder)])
    ...     [str(each) for each in WritePlan(files=files, gate=Open()).refusals(["a.txt", ".env", "../b"])]
    ...     files.close()
    ['None', 'protected name', 'unusable name']
    """

    __slots__ = ("_files", "_gate")

    def __init__(self, *, files: ClientFiles, gate: AccessGate) -> None:
        self._files = files
        self._gate = gate

    def refusals(self, paths: Sequence[str], *, are_directories: bool = False) -> list[Refusal | None]:
        """Return for each path why nothing new could be made there now; None where it could. Blocking.

        Whether something is there is told only where the client could write.

        Args:
            paths: Where, in the client's own words.
            are_directories: Whether directories would be made; one that is there already is `EXISTS`.
        """
        return [self._refusal(path, are_directories) for path in paths]

    async def agree(self, paths: Sequence[str], *, about: str) -> None:
        """Return when all of the paths may be written; where the policy says ask, after one question for all of them.

        Args:
            paths: Where, in the client's own words.
            about: A digest of what would be written: an answer counts for this alone.

        Raises:
            PermissionDeniedError: One of them may not be written, or nobody agreed; all that are missing are named.
        """
        locations = [self._files.locate(path) for path in paths]
        await self._gate.require_all(
            [(writing_type(each), each.absolute, each.relative, None) for each in locations], about=about
        )

    def _refusal(self, path: str, is_directory: bool) -> Refusal | None:
        try:
            location = self._files.locate(path)
            if is_directory and not location.parts:
                # The folder itself.
                return Refusal.EXISTS
            self._files.check_change(location, whole=not is_directory)
            if not self._gate.could_allow(writing_type(location), location.absolute, location.relative):
                return Refusal.NOT_PERMITTED
            kind = self._files.stat(location).kind
        except ResourceUnavailableError as error:
            return None if error.reason == "missing" else refusal_of(error)
        except MCPServerError as error:
            return refusal_of(error)
        if not is_directory or kind is FileKind.DIRECTORY:
            return Refusal.EXISTS
        return Refusal.SYMLINK if kind is FileKind.SYMLINK else Refusal.OTHER_KIND


def writing_type(location: FileLocation) -> PermissionType:
    """Return the right that writing there takes."""
    return PermissionType.FILE_WRITE_GLOBAL if location.root.is_global else PermissionType.FILE_WRITE
