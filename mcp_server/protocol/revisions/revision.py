"""A dated revision of the protocol, as the rest of the server sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.content_projection import project_block
from mcp_server.protocol.revisions.wire_fields import WireFields, only

CACHEABLE_METHODS: Final = frozenset(
    {
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    }
)
"""Whose complete results carry cache hints at 2026-07-28 (server/utilities/caching)."""


class Revision(ABC):
    """What one date of the protocol can say, and how the newest shape is said in it.

    Handlers know no dates: they build everything in the newest shape, and the revision of the request projects it. All
    methods are pure: the same argument gives the same answer, arguments are left as they are, and a projected value
    shares unchanged parts with its original, so neither may be changed afterwards.

    >>> from mcp_server.protocol.revisions.revision_2024_11_05 import Revision20241105
    >>> Revision20241105().project_tool({"name": "a", "title": "A", "inputSchema": {"type": "object"}})
    {'name': 'a', 'inputSchema': {'type': 'object'}}
    """

    date: ClassVar[str]
    is_modern: ClassVar[bool]

    client_requests: ClassVar[frozenset[str]]
    """Methods a client may call. Whether this server declares them is another question, also answered by -32601."""
    client_notifications: ClassVar[frozenset[str]]
    server_requests: ClassVar[frozenset[str]]
    """Methods the server may call at the client; empty since 2026-07-28."""
    input_requests: ClassVar[frozenset[str]] = frozenset()
    """Methods that may stand inside an `input_required` result; empty before 2026-07-28."""
    server_notifications: ClassVar[frozenset[str]]

    content_types: ClassVar[frozenset[str]]
    fields: ClassVar[WireFields]
    error_codes: ClassVar[Mapping[int, int]]
    """Error codes of the other era, and what is sent instead."""

    supports_batch: ClassVar[bool] = False
    supports_structured_content: ClassVar[bool] = False
    supports_elicitation: ClassVar[bool] = False
    supports_url_elicitation: ClassVar[bool] = False
    supports_sampling_tools: ClassVar[bool] = False
    supports_completion_context: ClassVar[bool] = False

    # Definitions

    def project_tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `tools/list`."""
        return only(tool, self.fields.tool)

    def project_prompt(self, prompt: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `prompts/list`."""
        projected = only(prompt, self.fields.prompt)
        if "arguments" in projected:
            known = self.fields.prompt_argument
            projected["arguments"] = [only(argument, known) for argument in projected["arguments"]]
        return projected

    def project_resource(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `resources/list`."""
        return self._with_annotations(only(resource, self.fields.resource))

    def project_resource_template(self, template: Mapping[str, Any]) -> dict[str, Any]:
        """Return an entry of `resources/templates/list`."""
        return self._with_annotations(only(template, self.fields.resource_template))

    def project_implementation(self, info: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the server says it is."""
        return only(info, self.fields.implementation)

    def project_capabilities(self, capabilities: Mapping[str, Any]) -> dict[str, Any]:
        """Return the server's capabilities."""
        return only(capabilities, self.fields.server_capabilities)

    # Results

    def project_result(
        self,
        method: str,
        result: Mapping[str, Any],
        *,
        server_info: Mapping[str, Any] | None = None,
        output_schema: Mapping[str, Any] | None = None,
        ttl_ms: int = 0,
        cache_scope: str = "private",
    ) -> dict[str, Any]:
        """Return the result of any request, projected and dressed: what a handler needs, mostly.

        Args:
            method: The request's method.
            result: The result in the newest shape; era members (`resultType` and the like) may be left out.
            server_info: Who answers; modern results carry it.
            output_schema: The called tool's schema in the newest shape, for `tools/call`.
            ttl_ms: How long the result may be kept, in milliseconds; modern lists and reads carry it.
            cache_scope: Who may keep it; `private` unless it is the same for every caller.
        """
        if method == "tools/call":
            projected = self.project_call_result(result, output_schema=output_schema)
        else:
            project = self._projector(method)
            projected = dict(result) if project is None else project(result)
        return self.dress(method, projected, server_info=server_info, ttl_ms=ttl_ms, cache_scope=cache_scope)

    def _projector(self, method: str) -> Callable[[Mapping[str, Any]], dict[str, Any]] | None:
        match method:
            case "prompts/get":
                return self.project_prompt_result
            case "resources/read":
                return self.project_read_result
            case "tools/list":
                return lambda result: self._project_entries(result, "tools", self.project_tool)
            case "prompts/list":
                return lambda result: self._project_entries(result, "prompts", self.project_prompt)
            case "resources/list":
                return lambda result: self._project_entries(result, "resources", self.project_resource)
            case "resources/templates/list":
                return lambda result: self._project_entries(result, "resourceTemplates", self.project_resource_template)
        return None

    @abstractmethod
    def dress(
        self,
        method: str,
        result: dict[str, Any],
        *,
        server_info: Mapping[str, Any] | None = None,
        ttl_ms: int = 0,
        cache_scope: str = "private",
    ) -> dict[str, Any]:
        """Add to a projected result what its era demands of every result, or take it away."""

    @abstractmethod
    def project_call_result(
        self, result: Mapping[str, Any], *, output_schema: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result of `tools/call`.

        Args:
            result: `content`, and perhaps `structuredContent`, `isError`, `_meta`.
            output_schema: The tool's schema; decides whether structured content is wrapped where it must be an object.
        """

    def project_prompt_result(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of `prompts/get`."""
        if "messages" not in result:
            return dict(result)  # It asks for input instead.
        messages = [{**message, "content": self.project_block(message["content"])} for message in result["messages"]]
        return {**result, "messages": messages}

    def project_read_result(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of `resources/read`."""
        if "contents" not in result:
            return dict(result)  # It asks for input instead.
        return {**result, "contents": [only(part, self.fields.resource_contents) for part in result["contents"]]}

    def project_blocks(self, blocks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return content blocks."""
        if len(blocks) == 1 and len(block := blocks[0]) == 2 and block["type"] == "text":
            # A text and nothing else is what most results are, and every revision knows it.
            return [block]
        return [self.project_block(block) for block in blocks]

    def project_block(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """Return one content block."""
        return project_block(block, self.content_types, self.fields)

    # News, questions, errors

    def project_notification(self, method: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the parameters of a notification to the client, or None where the revision knows none such."""
        if method not in self.server_notifications:
            return None
        if method == "notifications/progress":
            return only(params, self.fields.progress)
        return dict(params)

    @abstractmethod
    def project_elicitation(self, params: Mapping[str, Any], *, elicitation_id: str) -> dict[str, Any]:
        """Return the parameters of `elicitation/create`.

        Args:
            params: `message` and `requestedSchema`, or `mode` "url", `message` and `url`.
            elicitation_id: A fresh unguessable name; only 2025-11-25 sends it, and only with a URL.

        Raises:
            CapabilityMissingError: The revision cannot put this question.
        """

    @abstractmethod
    def project_sampling(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of `sampling/createMessage`.

        Raises:
            CapabilityMissingError: The revision cannot put this question.
        """

    def project_error(self, code: int, data: Any = None) -> tuple[int, Any]:
        """Return code and data of an error in the words of this revision.

        A missing resource is -32002 to handlers, whatever the revision: unlike -32602 that says what is meant.
        """
        return self.error_codes.get(code, code), data

    def resource_not_found(self, uri: str) -> ProtocolError:
        """Return the error for a resource that is not there, or that the caller may not see."""
        code, data = self.project_error(ErrorCode.RESOURCE_NOT_FOUND, {"uri": uri})
        return ProtocolError(code, "resource not found", data)

    # What the methods above are made of

    def _with_annotations(self, projected: dict[str, Any]) -> dict[str, Any]:
        if "annotations" in projected:
            projected["annotations"] = only(projected["annotations"], self.fields.annotations)
        return projected

    @staticmethod
    def _project_entries(
        result: Mapping[str, Any], key: str, project: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        return {**result, key: [project(entry) for entry in result[key]]}
