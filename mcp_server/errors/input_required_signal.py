"""The way out of a handler that needs an answer first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class InputRequiredSignal(BaseException):
    """Unwinds a handler whose question travels back as an `input_required` result.

    Not an `Exception`, like `asyncio.CancelledError`, so that a handler's `except Exception` does not swallow it.

    Args:
        key: The server-chosen name of the question in `inputRequests`.
        request: The question: a JSON-RPC request without id, `{"method": ..., "params": ...}`.
        ttl_seconds: How long the answer is accepted, in seconds; None for as long as any.

    Source: MCP 2026-07-28, basic/patterns/mrtr.

    >>> InputRequiredSignal("q0", {"method": "roots/list"}).key
    'q0'
    """

    def __init__(self, key: str, request: Mapping[str, Any], ttl_seconds: float | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.request = request
        self.ttl_seconds = ttl_seconds
