"""A client's folder, by its name alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.root import Root
    from mcp_server.resources.filesystem.walk_result import WalkResult


@dataclass(frozen=True, slots=True)
class NamedRoot:
    """What a handler in another process can know of a `Root`: the folder is not open there.

    Args:
        path: The absolute path of the folder, by the name the operator gave it.
        name: Its name.
        index: Its place among the client's folders.
        writable: Whether anything in it may be changed.
        is_global: Whether writing in it needs `FILE_WRITE_GLOBAL`.

    >>> NamedRoot("/srv/notes", "notes").path
    '/srv/notes'
    """

    path: str
    name: str
    index: int = 0
    writable: bool = True
    is_global: bool = False


def without_descriptors(result: WalkResult) -> WalkResult:
    """Return what a walk found, with folders that are names: only these can leave the process."""
    named: dict[int, NamedRoot] = {}

    def name(root: Root) -> NamedRoot:
        known = named.get(root.index)
        if known is None:
            known = named[root.index] = NamedRoot(root.path, root.name, root.index, root.writable, root.is_global)
        return known

    return replace(
        result,
        entries=tuple(
            replace(entry, location=replace(entry.location, root=cast("Root", name(entry.location.root))))
            for entry in result.entries
        ),
    )
