"""The stateless revision."""

from __future__ import annotations

from typing import ClassVar

from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
from mcp_server.protocol.revisions.stateless_revision import StatelessRevision
from mcp_server.protocol.revisions.wire_fields import WireFields


class Revision20260728(StatelessRevision):
    """2026-07-28: discovery instead of a handshake, questions inside results, one stream for news.

    Source: MCP 2026-07-28, changelog.

    >>> "initialize" in Revision20260728.client_requests
    False
    """

    date: ClassVar[str] = "2026-07-28"
    client_requests: ClassVar[frozenset[str]] = frozenset(
        {
            "server/discover",
            "tools/list",
            "tools/call",
            "resources/list",
            "resources/read",
            "resources/templates/list",
            "prompts/list",
            "prompts/get",
            "completion/complete",
            "subscriptions/listen",
        }
    )
    client_notifications: ClassVar[frozenset[str]] = frozenset({"notifications/cancelled"})
    """Where the two sides share one pipe; over HTTP the client closes the stream instead."""
    input_requests: ClassVar[frozenset[str]] = frozenset({"elicitation/create", "sampling/createMessage", "roots/list"})
    server_notifications: ClassVar[frozenset[str]] = frozenset(
        {
            "notifications/cancelled",
            "notifications/progress",
            "notifications/message",
            "notifications/tools/list_changed",
            "notifications/prompts/list_changed",
            "notifications/resources/list_changed",
            "notifications/resources/updated",
            "notifications/subscriptions/acknowledged",
        }
    )
    content_types: ClassVar[frozenset[str]] = Revision20251125.content_types
    fields: ClassVar[WireFields] = Revision20251125.fields.extended(server_capabilities=["extensions"])
