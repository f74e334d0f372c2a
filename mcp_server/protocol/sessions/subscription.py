"""One `subscriptions/listen` that is open."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.protocol.jsonrpc.message import RequestId
from mcp_server.protocol.revisions.stateless_revision import StatelessRevision


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a listener asked to hear, and may.

    Args:
        request_id: The id of its `subscriptions/listen` request, which every notification names.
        revision: The revision of that request.
        kinds: Of `tools`, `prompts` and `resources`: the lists whose changes it hears.
        uris: The resources whose updates it hears.

    Source: MCP 2026-07-28, basic/utilities/subscriptions.
    """

    request_id: RequestId
    revision: StatelessRevision
    kinds: frozenset[str]
    uris: frozenset[str]
