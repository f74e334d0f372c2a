"""The legacy era: `initialize`, a session, and requests in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.request_meta import SERVER_INFO
from mcp_server.protocol.revisions.content_projection import project_block
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.revisions.schema_projection import (
    WRAPPED_MEMBER,
    needs_wrapping,
    plain_form_schema,
    with_object_properties,
    wrap_output_schema,
)
from mcp_server.protocol.revisions.wire_fields import only

_MODERN_MEMBERS: Final = frozenset({"resultType", "ttlMs", "cacheScope"})


class HandshakeRevision(Revision):
    """What the four dated revisions of this era share.

    The core tasks of 2025-11-25 were experimental and left the protocol again with the next revision; they are not
    offered, so their methods are in no table.

    >>> from mcp_server.protocol.revisions.revision_2025_06_18 import Revision20250618
    >>> result = {"content": [{"type": "text", "text": "[1]"}], "structuredContent": [1], "resultType": "complete"}
    >>> Revision20250618().project_result("tools/call", result)
    {'content': [{'type': 'text', 'text': '[1]'}], 'structuredContent': {'result': [1]}}
    """

    is_modern: ClassVar[bool] = False
    client_requests: ClassVar[frozenset[str]] = frozenset(
        {
            "initialize",
            "ping",
            "tools/list",
            "tools/call",
            "resources/list",
            "resources/read",
            "resources/templates/list",
            "resources/subscribe",
            "resources/unsubscribe",
            "prompts/list",
            "prompts/get",
            "completion/complete",
            "logging/setLevel",
        }
    )
    client_notifications: ClassVar[frozenset[str]] = frozenset(
        {
            "notifications/initialized",
            "notifications/cancelled",
            "notifications/progress",
            "notifications/roots/list_changed",
        }
    )
    server_requests: ClassVar[frozenset[str]] = frozenset({"ping", "sampling/createMessage", "roots/list"})
    server_notifications: ClassVar[frozenset[str]] = frozenset(
        {
            "notifications/cancelled",
            "notifications/progress",
            "notifications/message",
            "notifications/tools/list_changed",
            "notifications/prompts/list_changed",
            "notifications/resources/list_changed",
            "notifications/resources/updated",
        }
    )
    sampling_types: ClassVar[frozenset[str]]
    """Types of block that may stand in a message to the client's model."""
    error_codes: ClassVar[Mapping[int, int]] = {
        # Codes of 2026-07-28. The era has no word of its own for these; the request, as it stands, cannot be served.
        ErrorCode.HEADER_MISMATCH: ErrorCode.INVALID_REQUEST,
        ErrorCode.MISSING_CLIENT_CAPABILITY: ErrorCode.INVALID_REQUEST,
        ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: ErrorCode.INVALID_REQUEST,
        ErrorCode.URL_ELICITATION_REQUIRED: ErrorCode.INVALID_REQUEST,
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
        """Take away what only modern results carry."""
        if not _MODERN_MEMBERS.isdisjoint(result):
            result = {name: member for name, member in result.items() if name not in _MODERN_MEMBERS}
        meta = result.get("_meta")
        if meta is not None and SERVER_INFO in meta:
            result = {**result, "_meta": {key: value for key, value in meta.items() if key != SERVER_INFO}}
            if not result["_meta"]:
                del result["_meta"]
        return result

    def initialize_result(
        self, *, capabilities: Mapping[str, Any], server_info: Mapping[str, Any], instructions: str | None = None
    ) -> dict[str, Any]:
        """Return the result of `initialize`.

        Args:
            capabilities: The server's capabilities.
            server_info: The server's name and version, and what else the revision knows of it.
            instructions: How to use the server, or None.
        """
        result: dict[str, Any] = {
            "protocolVersion": self.date,
            "capabilities": self.project_capabilities(capabilities),
            "serverInfo": self.project_implementation(server_info),
        }
        if instructions is not None:
            result["instructions"] = instructions
        return result

    def project_tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `tools/list`; an output schema that does not promise an object is wrapped."""
        projected = only(tool, self.fields.tool)
        projected["inputSchema"] = with_object_properties(projected["inputSchema"])
        output = projected.get("outputSchema")
        if output is not None:
            output = wrap_output_schema(output) if needs_wrapping(output) else output
            projected["outputSchema"] = with_object_properties(output)
        return projected

    def project_call_result(
        self, result: Mapping[str, Any], *, output_schema: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result of `tools/call`; structured content is an object or not there at all.

        What is wrapped or left out also stands in a text block, for it must not get lost.
        """
        projected = {**result, "content": self.project_blocks(result["content"])}
        if "structuredContent" not in projected:
            return projected
        value = projected["structuredContent"]
        wrap = type(value) is not dict if output_schema is None else needs_wrapping(output_schema)
        if not self.supports_structured_content:
            del projected["structuredContent"]
        elif type(value) is dict and not wrap:
            return projected
        elif wrap:
            projected["structuredContent"] = {WRAPPED_MEMBER: value}
        else:
            # An error result need not fit the schema, and the wire has no place for anything but an object.
            del projected["structuredContent"]
        if not any(block["type"] == "text" for block in projected["content"]):
            projected["content"].append({"type": "text", "text": _as_text(value)})
        return projected

    def project_elicitation(self, params: Mapping[str, Any], *, elicitation_id: str) -> dict[str, Any]:
        """Return the parameters of `elicitation/create`, as far as the revision knows it."""
        if not self.supports_elicitation:
            raise CapabilityMissingError({"elicitation": {}})
        if params.get("mode") == "url":
            if not self.supports_url_elicitation:
                raise CapabilityMissingError({"elicitation": {"url": {}}})
            return {**params, "elicitationId": elicitation_id}
        if self.supports_url_elicitation:
            return dict(params)
        form = plain_form_schema(params["requestedSchema"])
        if form is None:
            raise CapabilityMissingError({"elicitation": {"form": {}}})
        return {"message": params["message"], "requestedSchema": form}

    def project_sampling(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of `sampling/createMessage`, as far as the revision knows it."""
        if self.supports_sampling_tools:
            return dict(params)
        if params.get("tools"):
            raise CapabilityMissingError({"sampling": {"tools": {}}})
        messages = []
        for message in params["messages"]:
            content = message["content"]
            # A message holds one block here, so one with several becomes several of the same role.
            for block in content if isinstance(content, list) else [content]:
                if block["type"] in ("tool_use", "tool_result"):
                    raise CapabilityMissingError({"sampling": {"tools": {}}})
                plain = project_block(block, self.sampling_types, self.fields)
                messages.append({"role": message["role"], "content": plain})
        return {**only(params, self.fields.sampling), "messages": messages}


def _as_text(value: Any) -> str:
    from pydantic_core import to_json

    return to_json(value, inf_nan_mode="null").decode("utf-8")
