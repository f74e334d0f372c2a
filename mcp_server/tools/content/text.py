"""A block of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mcp_server.tools.content.wire import finish


@dataclass(frozen=True, slots=True)
class Text:
    """Text for the model or the human; a handler that has nothing to add may return a plain `str`.

    Args:
        text: The text.
        annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
        meta: The block's `_meta`.

    >>> Text("done").to_wire()
    {'type': 'text', 'text': 'done'}
    """

    is_content: ClassVar[bool] = True
    text: str
    annotations: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the block as the newest revision writes it."""
        return finish({"type": "text", "text": self.text}, self.annotations, self.meta)
