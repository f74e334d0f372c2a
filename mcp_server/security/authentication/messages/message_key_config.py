"""What the policy says of the keys with which a client signs messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_server.security.authentication.key_sets.key_set import KeySet


@dataclass(frozen=True, slots=True)
class MessageKeyConfig:
    """The one place that a client's keys come from.

    Args:
        inline: Public keys that stand in the policy.
        file: A file of keys, absolute, closed to others; it may hold secrets for HMAC.

    >>> MessageKeyConfig(file="/etc/mcp/ada.json").to_json()
    ['file', '/etc/mcp/ada.json']
    """

    inline: KeySet | None = None
    file: str | None = None

    def to_json(self) -> list[Any]:
        """Return it as JSON, for the digest of the policy; keys by their thumbprints."""
        if self.inline is None:
            return ["file", self.file]
        return ["inline", *sorted([each.key_id, each.thumbprint] for each in self.inline.keys.values())]
