"""The modern era: every request stands for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.request_meta import SERVER_INFO
from mcp_server.protocol.revisions.revision import CACHEABLE_METHODS, Revision

COMPLETE: Final = "complete"


class StatelessRevision(Revision):
    """No handshake and no session: each request carries `_meta`, each result says what it is.

    The newest shape is this era's own, so most projections return what they were given.

    Source: MCP 2026-07-28, basic, and server/utilities/caching.

    >>> from mcp_server.protocol.revisions.revision_2026_07_28 import Revision20260728
    >>> Revision20260728().dress("tools/list", {"tools": []})
    {'tools': [], 'resultType': 'complete', 'ttlMs': 0, 'cacheScope': 'private'}
    """

    is_modern: ClassVar[bool] = True
    server_requests: ClassVar[frozenset[str]] = frozenset()
    supports_structured_content: ClassVar[bool] = True
    supports_elicitation: ClassVar[bool] = True
    supports_url_elicitation: ClassVar[bool] = True
    supports_sampling_tools: ClassVar[bool] = True
    supports_completion_context: ClassVar[bool] = True
    error_codes: ClassVar[Mapping[int, int]] = {
        ErrorCode.RESOURCE_NOT_FOUND: ErrorCode.INVALID_PARAMS,
        # Handlers ask by `input_required` here; one that still raises this has no URL to offer in these words.
        ErrorCode.URL_ELICITATION_REQUIRED: ErrorCode.INTERNAL_ERROR,
    }

    def dress(
        self,
        method: str,
        result: dict[str, Any],
        *,
        server_info: Mapping[str, Any] | None = None,
        ttl_ms: int = 0,
        cache_scope: str = "private",
    ) -> dict[str, Any]:
        """Add `resultType`, the server's name and, where they belong, cache hints."""
        dressed = dict(result)
        result_type = dressed.setdefault("resultType", COMPLETE)
        if method in CACHEABLE_METHODS and result_type == COMPLETE:
            dressed.setdefault("ttlMs", ttl_ms)
            dressed.setdefault("cacheScope", cache_scope)
        if server_info is not None:
            dressed["_meta"] = {**dressed.get("_meta", {}), SERVER_INFO: server_info}
        return dressed

    def project_call_result(
        self,
        result: Mapping[str, Any],
        *,
        output_schema: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the result as it is; it may also be one that asks for input."""
        return dict(result)

    def project_prompt_result(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result as it is."""
        return dict(result)

    def discover_result(
        self,
        *,
        supported_versions: Sequence[str],
        capabilities: Mapping[str, Any],
        server_info: Mapping[str, Any],
        instructions: str | None = None,
        ttl_ms: int = 0,
        cache_scope: str = "private",
    ) -> dict[str, Any]:
        """Return the result of `server/discover`, dressed.

        Args:
            supported_versions: Modern dates only: a client that finds an older one takes the handshake for wanted.
            capabilities: The server's capabilities for this caller.
            server_info: The server's name and version; travels in `_meta`, not in the body.
            instructions: How to use the server, or None.
            ttl_ms: How long it may be kept, in milliseconds.
            cache_scope: Who may keep it.
        """
        result: dict[str, Any] = {
            "supportedVersions": list(supported_versions),
            "capabilities": self.project_capabilities(capabilities),
        }
        if instructions is not None:
            result["instructions"] = instructions
        info = self.project_implementation(server_info)
        return self.dress("server/discover", result, server_info=info, ttl_ms=ttl_ms, cache_scope=cache_scope)

    def project_elicitation(
        self,
        params: Mapping[str, Any],
        *,
        elicitation_id: str,
    ) -> dict[str, Any]:
        """Return the question as it is; what finds it again belongs in `requestState`."""
        return {name: value for name, value in params.items() if name != "elicitationId"}

    def project_sampling(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the question as it is."""
        return dict(params)
