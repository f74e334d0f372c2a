"""An image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mcp_server.tools.content.wire import encode, finish


@dataclass(frozen=True, slots=True)
class Image:
    """An image, carried in the result itself.

    Args:
        data: The encoded bytes, as they would stand in a file.
        mime_type: What they are.
        annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
        meta: The block's `_meta`.

    >>> Image(b"hi").to_wire()
    {'type': 'image', 'data': 'aGk=', 'mimeType': 'image/png'}
    """

    is_content: ClassVar[bool] = True
    data: bytes = field(repr=False)
    mime_type: str = "image/png"
    annotations: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the block as the newest revision writes it."""
        block = {"type": "image", "data": encode(self.data), "mimeType": self.mime_type}
        return finish(block, self.annotations, self.meta)
