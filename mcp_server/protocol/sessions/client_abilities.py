"""What a client's declared capabilities amount to in a revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.protocol.revisions.revision import Revision


def can_elicit_form(revision: Revision, capabilities: Mapping[str, Any]) -> bool:
    """Whether the client can put a form before its human; an empty declaration means forms.

    Source: MCP 2025-11-25, client/elicitation, "Capabilities".

    >>> from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
    >>> can_elicit_form(Revision20251125(), {"elicitation": {}}), can_elicit_form(Revision20251125(), {})
    (True, False)
    """
    declared = capabilities.get("elicitation")
    if not revision.supports_elicitation or not isinstance(declared, Mapping):
        return False
    return not revision.supports_url_elicitation or "form" in declared or "url" not in declared


def can_elicit_url(revision: Revision, capabilities: Mapping[str, Any]) -> bool:
    """Whether the client can send its human to a web page.

    >>> from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
    >>> can_elicit_url(Revision20251125(), {"elicitation": {"url": {}}})
    True
    """
    declared = capabilities.get("elicitation")
    return revision.supports_url_elicitation and isinstance(declared, Mapping) and "url" in declared


def check_sampling(params: Mapping[str, Any], capabilities: Mapping[str, Any]) -> None:
    """Refuse to lend a model tools that the client did not say it can use.

    Raises:
        CapabilityMissingError: The question brings tools, and the client declared none of `sampling.tools`.

    Source: MCP 2025-11-25, client/sampling, "Capabilities".

    >>> check_sampling({"messages": []}, {"sampling": {}})
    """
    declared = capabilities.get("sampling")
    if ("tools" in params or "toolChoice" in params) and not (isinstance(declared, Mapping) and "tools" in declared):
        raise CapabilityMissingError({"sampling": {"tools": {}}})
