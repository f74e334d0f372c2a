"""A place below a root, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.root import Root


@dataclass(frozen=True, slots=True)
class FileLocation:
    """Where something is or would be: a root and the names below it. Says nothing of whether it exists.

    Args:
        root: The folder it is in.
        parts: The names below, none of them empty, `.` or `..`; empty for the folder itself.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = Root(RootConfig(folder))
    ...     place = FileLocation(root, ("a", "b.txt"))
    ...     print(place.relative, place.parent.relative, place.parent.parent.relative, place.name)
    ...     root.close()
    a/b.txt a . b.txt
    """

    root: Root
    parts: tuple[str, ...]

    @property
    def absolute(self) -> str:
        """The absolute path, by the name the operator gave the folder."""
        return "/".join((self.root.path, *self.parts))

    @property
    def relative(self) -> str:
        """The path below the folder, `.` for the folder itself."""
        return "/".join(self.parts) or "."

    @property
    def name(self) -> str:
        """The last name, empty for the folder itself."""
        return self.parts[-1] if self.parts else ""

    @property
    def parent(self) -> FileLocation:
        """The directory it is in; the folder itself is its own parent."""
        return FileLocation(self.root, self.parts[:-1])

    def child(self, name: str) -> FileLocation:
        """Return the location of `name` in it."""
        return FileLocation(self.root, (*self.parts, name))
