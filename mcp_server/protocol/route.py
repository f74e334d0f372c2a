"""How one method is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.operation import Operation


@dataclass(frozen=True, slots=True)
class Route:
    """Either an `answer` that is made at once, or a `plan` for the chain and how its outcome is told.

    Args:
        method: The method.
        answer: Returns the result, already in the revision's shape or encoded; must not take long.
        plan: Checks the parameters and returns what draws the operation for a principal.
        finish: Turns what the operation returned into the result, in the revision's shape.
        refuse: Turns a refusal into a result where the protocol wants one, else returns None.
        may_ask: Whether a question to the client may travel in its result (2026-07-28).
        is_listing: Whether it only tells what there is: such a request does not queue behind calls of tools.
    """

    method: str
    answer: Callable[[Exchange], Mapping[str, Any] | bytes | None] | None = None
    plan: Callable[[Exchange], Callable[[Principal], Operation]] | None = None
    finish: Callable[[Exchange, Any], Mapping[str, Any]] | None = None
    refuse: Callable[[Exchange, MCPServerError], Mapping[str, Any] | None] | None = None
    may_ask: bool = False
    is_listing: bool = False
