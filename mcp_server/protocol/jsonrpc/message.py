"""Names for what a frame can hold."""

from __future__ import annotations

from typing import TypeAlias

from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response

RequestId: TypeAlias = str | int
"""Text or an integer in every revision; never null, a fraction or a truth value."""

Message: TypeAlias = Request | Notification | Response | InvalidMessage
"""One message, or what stands in its place."""

Batch: TypeAlias = list[Message]
"""Several messages in one frame; legal at 2025-03-26 only, which is for the caller to know."""
