"""The revision with batches."""

from __future__ import annotations

from typing import ClassVar

from mcp_server.protocol.revisions.revision_2024_11_05 import Revision20241105
from mcp_server.protocol.revisions.wire_fields import WireFields


class Revision20250326(Revision20241105):
    """2025-03-26: batches (this one only), sound, tool annotations, completions as a capability, words with progress.

    Source: MCP 2025-03-26, changelog.

    >>> Revision20250326.supports_batch
    True
    """

    date: ClassVar[str] = "2025-03-26"
    supports_batch: ClassVar[bool] = True
    content_types: ClassVar[frozenset[str]] = Revision20241105.content_types | {"audio"}
    sampling_types: ClassVar[frozenset[str]] = Revision20241105.sampling_types | {"audio"}
    fields: ClassVar[WireFields] = Revision20241105.fields.extended(
        server_capabilities=["completions"], tool=["annotations"], progress=["message"]
    )
