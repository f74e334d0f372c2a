"""A picture for a tool, prompt or resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mcp_server.errors.configuration_error import ConfigurationError


@dataclass(frozen=True, slots=True)
class Icon:
    """Where a client finds a picture to show beside a name.

    Args:
        src: An `https:` or `data:` URI; clients must not fetch anything else.
        mime_type: What it is.
        sizes: Sizes such as `48x48`, or `any`.
        theme: Whether it is drawn for a light or a dark background.

    Raises:
        ConfigurationError: The URI has another scheme.

    Source: MCP 2026-07-28, basic, "Icons".

    >>> Icon("https://example.org/i.png", sizes=("48x48",)).to_wire()
    {'src': 'https://example.org/i.png', 'sizes': ['48x48']}
    """

    src: str
    mime_type: str | None = None
    sizes: Sequence[str] = ()
    theme: Literal["light", "dark"] | None = None

    def __post_init__(self) -> None:
        if not self.src.startswith(("https://", "data:")):
            raise ConfigurationError(f"an icon is named by an https: or data: URI, not by {self.src[:40]!r}")

    def to_wire(self) -> dict[str, Any]:
        """Return the icon as the newest revision writes it."""
        wire: dict[str, Any] = {"src": self.src}
        if self.mime_type:
            wire["mimeType"] = self.mime_type
        if self.sizes:
            wire["sizes"] = list(self.sizes)
        if self.theme:
            wire["theme"] = self.theme
        return wire
