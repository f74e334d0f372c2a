"""The last revision with a handshake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.revision_2025_06_18 import Revision20250618
from mcp_server.protocol.revisions.wire_fields import WireFields


class Revision20251125(Revision20250618):
    """2025-11-25: icons, elicitation by URL, richer forms, sampling with tools, a server that describes itself.

    Source: MCP 2025-11-25, changelog.

    >>> params = {"mode": "url", "message": "Please sign in", "url": "https://example.org/in"}
    >>> Revision20251125().project_elicitation(params, elicitation_id="e1")["elicitationId"]
    'e1'
    """

    date: ClassVar[str] = "2025-11-25"
    supports_url_elicitation: ClassVar[bool] = True
    supports_sampling_tools: ClassVar[bool] = True
    server_notifications: ClassVar[frozenset[str]] = Revision20250618.server_notifications | {
        "notifications/elicitation/complete"
    }
    error_codes: ClassVar[Mapping[int, int]] = {
        code: substitute
        for code, substitute in Revision20250618.error_codes.items()
        if code != ErrorCode.URL_ELICITATION_REQUIRED
    }
    fields: ClassVar[WireFields] = Revision20250618.fields.extended(
        implementation=["description", "icons", "websiteUrl"],
        tool=["icons"],
        prompt=["icons"],
        resource=["icons"],
        resource_template=["icons"],
        resource_link=["icons"],
    )
