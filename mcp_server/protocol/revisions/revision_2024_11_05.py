"""The first revision."""

from __future__ import annotations

from typing import ClassVar

from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision
from mcp_server.protocol.revisions.wire_fields import WireFields


class Revision20241105(HandshakeRevision):
    """2024-11-05: what there was in the beginning; the later dates say what they added.

    Source: MCP 2024-11-05, `schema.json`.

    >>> Revision20241105().project_notification("notifications/progress", {"progress": 1, "message": "half"})
    {'progress': 1}
    """

    date: ClassVar[str] = "2024-11-05"
    content_types: ClassVar[frozenset[str]] = frozenset({"text", "image", "resource"})
    sampling_types: ClassVar[frozenset[str]] = frozenset({"text", "image"})
    fields: ClassVar[WireFields] = WireFields(
        implementation=frozenset({"name", "version"}),
        server_capabilities=frozenset({"experimental", "logging", "prompts", "resources", "tools"}),
        tool=frozenset({"name", "description", "inputSchema"}),
        prompt=frozenset({"name", "description", "arguments"}),
        prompt_argument=frozenset({"name", "description", "required"}),
        resource=frozenset({"uri", "name", "description", "mimeType", "size", "annotations"}),
        resource_template=frozenset({"uriTemplate", "name", "description", "mimeType", "annotations"}),
        resource_contents=frozenset({"uri", "mimeType", "text", "blob"}),
        block=frozenset({"annotations"}),
        annotations=frozenset({"audience", "priority"}),
        progress=frozenset({"_meta", "progressToken", "progress", "total"}),
        sampling=frozenset(
            {
                "includeContext",
                "maxTokens",
                "messages",
                "metadata",
                "modelPreferences",
                "stopSequences",
                "systemPrompt",
                "temperature",
            }
        ),
    )
