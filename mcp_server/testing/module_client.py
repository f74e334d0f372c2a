"""What a module's tests talk to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp_server.client.memory_client import MemoryClient
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.refusals import ERROR_META
from mcp_server.testing.audit_view import AuditView
from mcp_server.testing.denial import Denial


class ModuleClient:
    """Calls tools through the whole chain and returns what a test wants to compare.

    Args:
        client: Speaks the protocol.
        audit: The records written so far; grows while the test runs.
    """

    def __init__(self, *, client: MemoryClient, audit: list[AuditView]) -> None:
        self._client = client
        self.audit = audit

    @property
    def notifications(self) -> list[dict[str, Any]]:
        """What the server told unasked: progress, log messages, changes."""
        return self._client.notifications

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool and return its structured value, or else its text.

        Raises:
            AssertionError: The call was refused or failed; the message says why.
        """
        result = await self._call(tool, arguments)
        if result.get("isError"):
            raise AssertionError(f"{tool} failed: {_text(result)}")
        return result["structuredContent"] if "structuredContent" in result else _text(result)

    async def result(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return the protocol's CallToolResult."""
        return await self._call(tool, arguments)

    async def denied(self, tool: str, /, **arguments: Any) -> Denial:
        """Call a tool that must be refused, and return the refusal.

        Raises:
            AssertionError: It was not refused.
        """
        try:
            result = await self._call(tool, arguments)
        except ProtocolError as error:
            if error.code not in (ErrorCode.INVALID_PARAMS, ErrorCode.FORBIDDEN):
                raise AssertionError(f"{tool} was not refused but failed: {error}") from error
            return Denial(error.code, error.message)
        details = result.get("_meta", {}).get(ERROR_META)
        if not result.get("isError") or details is None:
            raise AssertionError(f"{tool} was not refused: {_text(result)}")
        missing = tuple((each["type"], each["resource"]) for each in details.get("missing", ()))
        if details["code"] == ErrorCode.SANDBOX_REFUSED and self.audit:
            # The client is told the reason alone; what was tried, and with which permission, stands in the evidence.
            missing = tuple((kind, name) for kind, name, _ in self.audit[-1].fields.get("need", ())[-1:])
        return Denial(details["code"], _text(result), missing)

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send any request of the protocol and return its result.

        Raises:
            ProtocolError: The server answered with an error.
        """
        return await self._client.request(method, params)

    async def _call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return await self._client.request(
            "tools/call", {"name": tool, "arguments": json.loads(json.dumps(arguments, default=str))}
        )


def _text(result: Mapping[str, Any]) -> str:
    return "\n".join(block["text"] for block in result.get("content", ()) if block.get("type") == "text")
