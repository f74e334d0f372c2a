"""What a planned call is, before anything of it has happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


class Operation(NamedTuple):
    """A plan: what it is called, what it needs, and the function that would carry it out.

    Drawing a plan touches nothing. Only `SecurityChain.run` calls `execute`. A named tuple, for one is made every call.

    Args:
        kind: The protocol's method, such as `tools/call`.
        name: The tool's, prompt's or resource's name.
        execute: Carries the plan out with the doors of the given context; returns what the handler returned.
        permissions: Everything declared; the upper limit for the context's doors.
        needs: The bound part of it, with the values of this call.
        arguments: What the client sent, for consent and audit.
        has_effects: Whether an intent record must be written before it runs.
        definition_hash: SHA-256 of the tool's definition, hexadecimal; empty where there is none.
        timeout_seconds: Its own time limit in seconds, None for the default.
        module: The module that offers it.
        is_counted: Whether it counts against the client's limits of calls; a listing does not.
        definition: What it was planned from, where the same thing is called again and again; None elsewhere. Plans of
            one definition differ in `execute`, `needs` and `arguments` only.

    >>> async def nothing(client): return None
    >>> Operation(kind="tools/call", name="noop", execute=nothing).needs
    ()
    """

    kind: str
    name: str
    execute: Callable[[ClientContext], Awaitable[Any]]
    permissions: tuple[Permission, ...] = ()
    needs: tuple[Need, ...] = ()
    arguments: Mapping[str, Any] | None = None
    has_effects: bool = True
    definition_hash: str = ""
    timeout_seconds: float | None = None
    module: str = ""
    is_counted: bool = True
    definition: object | None = None
