"""The revision with structured output and questions to the human."""

from __future__ import annotations

from typing import ClassVar

from mcp_server.protocol.revisions.revision_2025_03_26 import Revision20250326
from mcp_server.protocol.revisions.wire_fields import WireFields


class Revision20250618(Revision20250326):
    """2025-06-18: no batches any more; structured output, elicitation by form, resource links, titles, more `_meta`.

    Source: MCP 2025-06-18, changelog.

    >>> sorted(Revision20250618.content_types)
    ['audio', 'image', 'resource', 'resource_link', 'text']
    """

    date: ClassVar[str] = "2025-06-18"
    supports_batch: ClassVar[bool] = False
    supports_structured_content: ClassVar[bool] = True
    supports_elicitation: ClassVar[bool] = True
    supports_completion_context: ClassVar[bool] = True
    server_requests: ClassVar[frozenset[str]] = Revision20250326.server_requests | {"elicitation/create"}
    content_types: ClassVar[frozenset[str]] = Revision20250326.content_types | {"resource_link"}
    fields: ClassVar[WireFields] = Revision20250326.fields.extended(
        implementation=["title"],
        tool=["title", "outputSchema", "_meta"],
        prompt=["title", "_meta"],
        prompt_argument=["title"],
        resource=["title", "_meta"],
        resource_template=["title", "_meta"],
        resource_contents=["_meta"],
        resource_link=["uri", "name", "title", "description", "mimeType", "size", "annotations", "_meta"],
        block=["_meta"],
        annotations=["lastModified"],
    )
