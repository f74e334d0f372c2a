"""The protocol tier's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mcp_server.protocol.jsonrpc.message_limits import MessageLimits

MAX_IN_FLIGHT: Final = 64
"""Requests of one connection that run at once; desktop clients send a handful."""

MAX_WAITING: Final = 1_024
"""Requests of one connection that wait for their turn behind those; more are refused."""


@dataclass(frozen=True, slots=True)
class ProtocolConfig:
    """Settings of the protocol tier.

    Args:
        server_info: What the server calls itself: `name` and `version` at least.
        instructions: How to use the server, for the model.
        limits: Bounds of messages.
        max_in_flight: Requests of one connection that run at once.
        max_waiting: Requests of one connection that wait behind them.

    >>> ProtocolConfig(server_info={"name": "desk", "version": "1"}).max_in_flight
    64
    """

    server_info: Mapping[str, Any]
    instructions: str | None = None
    limits: MessageLimits = field(default_factory=MessageLimits)
    max_in_flight: int = MAX_IN_FLIGHT
    max_waiting: int = MAX_WAITING
