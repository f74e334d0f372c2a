"""Requests as bytes, in the words of one revision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MODERN = "2026-07-28"
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_HERE = "\N{OBJECT REPLACEMENT CHARACTER}"


class RequestBuilder:
    """Writes JSON-RPC without an SDK, so that the client's own price is a few microseconds and the same for everybody.

    Args:
        revision: The protocol revision to speak.
    """

    def __init__(self, revision: str) -> None:
        self.revision = revision
        self.is_modern = revision == MODERN

    def first(self) -> bytes:
        """Return the request a client begins with."""
        if self.is_modern:
            return self.request(0, "server/discover")
        params = {
            "protocolVersion": self.revision,
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }
        return self.request(0, "initialize", params)

    def request(self, request_id: int | str, method: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Return one request."""
        given = dict(params or {})
        if self.is_modern:
            given["_meta"] = _META
        message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": given}
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()

    def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Return what stands before and behind the id in a call of a tool."""
        text = self.request(_HERE, "tools/call", {"name": tool, "arguments": dict(arguments)})
        before, behind = text.split(f'"{_HERE}"'.encode())
        return before, behind
