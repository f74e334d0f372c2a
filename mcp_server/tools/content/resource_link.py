"""A pointer to a published resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mcp_server.tools.content.wire import finish


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """Tells the client where to read more, instead of sending it.

    Reading the link is a call of its own, and is permitted or refused like any other.

    Args:
        uri: The resource's URI.
        name: Its name.
        title: Its name for humans.
        description: What it is.
        mime_type: What reading it would give.
        size: Its length in bytes, before any encoding.
        annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
        meta: The block's `_meta`.

    >>> ResourceLink("note:///a.md", "a.md").to_wire()
    {'type': 'resource_link', 'uri': 'note:///a.md', 'name': 'a.md'}
    """

    is_content: ClassVar[bool] = True
    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    annotations: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the block as the newest revision writes it."""
        block: dict[str, Any] = {"type": "resource_link", "uri": self.uri, "name": self.name}
        optional = {
            "title": self.title,
            "description": self.description,
            "mimeType": self.mime_type,
            "size": self.size,
        }
        block.update({member: value for member, value in optional.items() if value is not None})
        return finish(block, self.annotations, self.meta)
