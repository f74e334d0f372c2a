"""A resource carried inside a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mcp_server.tools.content.wire import encode, finish


@dataclass(frozen=True, slots=True)
class EmbeddedResource:
    """The contents of a resource, text or bytes, together with its URI.

    Args:
        uri: The resource's URI.
        data: Its contents.
        mime_type: What they are; `text/plain` or `application/octet-stream` when not said.
        annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
        meta: The block's `_meta`.

    >>> EmbeddedResource("note:///a.md", "hello").to_wire()["resource"]
    {'uri': 'note:///a.md', 'mimeType': 'text/plain', 'text': 'hello'}
    """

    is_content: ClassVar[bool] = True
    uri: str
    data: str | bytes = field(repr=False)
    mime_type: str | None = None
    annotations: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] | None = None

    def contents(self) -> dict[str, Any]:
        """Return the contents alone, as the answer to `resources/read` carries them."""
        if isinstance(self.data, str):
            return {"uri": self.uri, "mimeType": self.mime_type or "text/plain", "text": self.data}
        return {"uri": self.uri, "mimeType": self.mime_type or "application/octet-stream", "blob": encode(self.data)}

    def to_wire(self) -> dict[str, Any]:
        """Return the block as the newest revision writes it."""
        return finish({"type": "resource", "resource": self.contents()}, self.annotations, self.meta)
