"""A tool, as it is listed and called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.argument_binding import ArgumentBinding
from mcp_server.tools.icon import Icon
from mcp_server.tools.result_building import build_result
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.tool_contract import ToolContract
from mcp_server.tools.tool_result import ToolResult

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace

ISOLATION_META: Final = "dev.mcpserver/isolation"
"""The member of a result's `_meta` that says how well what was executed for it was contained."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What both forms of registration become: a name, a contract, permissions, and the handler.

    Made by `Module`; nothing but `ToolManager` runs one, and only from inside the security chain.

    Args:
        name: Its name, unique in the server.
        description: What it does, for the model.
        contract: Schemas and validation.
        handler: The author's function.
        is_sync: Whether the handler blocks, and so runs in a thread.
        module: The module that offers it.
        title: Its name for humans.
        annotations: Hints for the client.
        icons: Pictures for the client.
        meta: The tool's `_meta`.
        permissions: Everything it may need.
        bindings: The bound part of it.
        tags: The author's own labels.
        timeout_seconds: Its time limit in seconds, None for the server's default.
        place: Where a process of its own finds its handler; None where it never leaves the server.

    >>> from mcp_server.tools.module import Module
    >>> module = Module("sums")
    >>> @module.tool
    ... async def add(a: int, b: int) -> int:
    ...     "Add two numbers."
    ...     return a + b
    >>> module.lower(); module.tools["add"].to_wire()["description"]
    'Add two numbers.'
    """

    name: str
    description: str
    contract: ToolContract = field(repr=False)
    handler: Callable[..., Any] = field(repr=False)
    is_sync: bool
    module: str
    title: str | None = None
    annotations: ToolAnnotations | None = None
    icons: tuple[Icon, ...] = ()
    meta: Mapping[str, Any] | None = None
    permissions: tuple[Permission, ...] = ()
    bindings: tuple[ArgumentBinding, ...] = field(default=(), repr=False)
    tags: frozenset[str] = frozenset()
    timeout_seconds: float | None = None
    place: HandlerPlace | None = field(default=None, repr=False, compare=False)
    has_effects: bool = field(default=True, init=False)
    _definition_hash: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.annotations is not None and self.annotations.read_only:
            object.__setattr__(self, "has_effects", False)

    @property
    def input_schema(self) -> Mapping[str, Any]:
        """The schema of the arguments."""
        return self.contract.input_schema

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The schema of the structured value, None when there is none."""
        return self.contract.output_schema

    @property
    def definition_hash(self) -> str:
        """SHA-256, hexadecimal, of name, description, input schema and permissions: it changes when they do."""
        # Made when first asked, for a typed tool's schema is; the value is otherwise frozen.
        if not self._definition_hash:
            object.__setattr__(self, "_definition_hash", self._digest())
        return self._definition_hash

    def needs(self, arguments: Mapping[str, Any]) -> tuple[Need, ...]:
        """Return what a call with these arguments is about to touch.

        Raises:
            InvalidArgumentsError: A bound argument is neither a text nor a list of texts.
        """
        bindings = self.bindings
        if not bindings:
            return ()
        if len(bindings) == 1:
            return bindings[0].needs(arguments)
        return tuple(need for binding in bindings for need in binding.needs(arguments))

    async def run(self, arguments: Mapping[str, Any], context: ClientContext) -> ToolResult:
        """Validate the arguments, call the handler, and build the result.

        Raises:
            InvalidArgumentsError: The arguments do not fit the schema.
            LimitExceededError: The result is larger than the client may have.
        """
        place = self.place
        if place is not None and place.runs_apart(context):
            from mcp_server.tools.apart.apart_calls import call_tool

            result = await call_tool(self, place, arguments, context)
        else:
            positional, named = self.contract.prepare(arguments, context)
            if not self.is_sync:
                value = await self.handler(*positional, **named)
            else:
                function = partial(self.handler, **named) if named else self.handler
                value = await context.run_sync(function, *positional)
                if inspect.isawaitable(value):  # a plain function that returns a coroutine
                    value = await value
            result = build_result(value, self.contract)
        if context.isolation is not None:
            result = result._replace(meta={**(result.meta or {}), ISOLATION_META: context.isolation})
        size = result.size
        if size > context.max_result_bytes:
            raise LimitExceededError(
                "max_result_bytes",
                f"the result has {size} characters, more than the {context.max_result_bytes} allowed; "
                "ask for a part of it, or for less",
            )
        return result

    def to_wire(self) -> dict[str, Any]:
        """Return the definition as the newest revision lists it.

        Source: MCP 2026-07-28, Tool.
        """
        wire: dict[str, Any] = {"name": self.name}
        if self.title is not None:
            wire["title"] = self.title
        wire["description"] = self.description
        wire["inputSchema"] = self.contract.input_schema
        if self.contract.has_output and (output := self.contract.output_schema) is not None:
            wire["outputSchema"] = output
        if self.annotations is not None and (hints := self.annotations.to_wire()):
            wire["annotations"] = hints
        if self.icons:
            wire["icons"] = [icon.to_wire() for icon in self.icons]
        if self.meta:
            wire["_meta"] = dict(self.meta)
        return wire

    def _digest(self) -> str:
        import hashlib
        import json

        definition = {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.contract.input_schema,
            "permissions": [
                [str(item.type), item.pattern, list(item.arguments), item.restricted, item.optional]
                for item in self.permissions
            ],
        }
        text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
