"""The files at the top of a client's folders, as resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.names import escaped
from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.modules.text_output import file_uri, media_type

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.directory_entry import DirectoryEntry
    from mcp_server.security.client_context import ClientContext

MAX_NAMES: Final = 10_000
"""Names looked at in all folders together."""

_UNKNOWN: Final = media_type("")
_PLAIN_TEXT: Final = media_type("", is_text=True)


async def top_level_files(client: ClientContext) -> list[ResourceLink]:
    """Return the regular files that lie directly in the client's folders, folder by folder, by name.

    A folder that may not be listed contributes nothing. Which of the files may be read is not looked at here.
    """
    links: list[ResourceLink] = []
    left = MAX_NAMES
    for root in client.files.roots:
        offset: int | None = 0
        while offset is not None and left > 0:
            try:
                listing = await client.files.list(root, offset=offset, max_entries=left)
            except MCPServerError:
                break
            links.extend(_links(root, listing.entries))
            left -= len(listing.entries)
            offset = listing.next_offset
    return links


def likely_type(name: str) -> str | None:
    """Return what a file's name says of its content, None where only reading would tell.

    >>> likely_type("a.png"), likely_type("a.md"), likely_type("a.txt"), likely_type("Makefile")
    ('image/png', 'text/markdown', 'text/plain', None)
    """
    kind = media_type(name)
    if kind != _UNKNOWN:
        return kind
    kind = media_type(name, is_text=True)
    return kind if kind != _PLAIN_TEXT or name.lower().endswith(".txt") else None


def _links(root: str, entries: tuple[DirectoryEntry, ...]) -> Iterator[ResourceLink]:
    for entry in entries:
        if entry.kind is not FileKind.FILE:
            continue
        try:
            uri = file_uri(f"{root}/{entry.name}")
        except UnicodeEncodeError:
            # A name that is not UTF-8 has no URI, and nobody could ask for it.
            continue
        yield ResourceLink(uri, escaped(entry.name), mime_type=likely_type(entry.name), size=entry.size)
