"""A prompt, as it is listed and got."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.argument_binding import ArgumentBinding
from mcp_server.tools.icon import Icon
from mcp_server.tools.problems import unknown_arguments
from mcp_server.tools.prompt_argument import PromptArgument
from mcp_server.tools.prompt_message import PromptMessage
from mcp_server.tools.prompt_result import PromptResult
from mcp_server.tools.result_building import content_block

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace


@dataclass(frozen=True, slots=True)
class Prompt:
    """A named text with blanks, filled in by a handler.

    Args:
        name: Its name, unique in the server.
        description: What it is for.
        handler: The author's function.
        is_sync: Whether the handler blocks, and so runs in a thread.
        module: The module that offers it.
        arguments: The texts it takes.
        client_parameter: The handler's parameter that takes the `ClientContext`, None when there is none.
        title: Its name for humans.
        icons: Pictures for the client.
        meta: The prompt's `_meta`.
        permissions: Everything its handler may need.
        bindings: The bound part of it.
        tags: The author's own labels.
        place: Where a process of its own finds its handler; None where it never leaves the server.

    >>> from mcp_server.tools.module import Module
    >>> module = Module("poems")
    >>> @module.prompt
    ... def haiku(topic: str) -> str:
    ...     "Ask for a haiku."
    ...     return f"Write a haiku about {topic}."
    >>> module.lower(); module.prompts["haiku"].to_wire()["arguments"]
    [{'name': 'topic', 'required': True}]
    """

    name: str
    description: str
    handler: Callable[..., Any] = field(repr=False)
    is_sync: bool
    module: str
    arguments: tuple[PromptArgument, ...] = ()
    client_parameter: str | None = None
    title: str | None = None
    icons: tuple[Icon, ...] = ()
    meta: Mapping[str, Any] | None = None
    permissions: tuple[Permission, ...] = ()
    bindings: tuple[ArgumentBinding, ...] = field(default=(), repr=False)
    tags: frozenset[str] = frozenset()
    place: HandlerPlace | None = field(default=None, repr=False, compare=False)

    async def run(self, arguments: Mapping[str, Any], context: ClientContext) -> PromptResult:
        """Check the arguments, call the handler, and build the messages.

        Raises:
            InvalidArgumentsError: One is missing, unknown, or no text.

        Source: MCP 2026-07-28, server/prompts, "Error handling".
        """
        known = [argument.name for argument in self.arguments]
        problems = unknown_arguments(arguments.keys() - set(known), known)
        for argument in self.arguments:
            value = arguments.get(argument.name)
            if argument.is_required and argument.name not in arguments:
                problems.append(f"'{argument.name}' is missing")
            elif argument.name in arguments and not isinstance(value, str):
                problems.append(f"'{argument.name}' must be a text")
        if problems:
            raise InvalidArgumentsError(problems)
        if self.place is not None and self.place.runs_apart(context):
            from mcp_server.tools.apart.apart_calls import call_prompt

            return await call_prompt(self, self.place, arguments, context)
        named: dict[str, Any] = dict(arguments)
        if self.client_parameter is not None:
            named[self.client_parameter] = context
        value = await (context.run_sync(partial(self.handler, **named)) if self.is_sync else self.handler(**named))
        if inspect.isawaitable(value):
            value = await value
        items = value if isinstance(value, (list, tuple)) else (value,)
        return PromptResult(self.description or None, tuple(_message(item) for item in items))

    def to_wire(self) -> dict[str, Any]:
        """Return the definition as the newest revision lists it."""
        wire: dict[str, Any] = {"name": self.name}
        if self.title is not None:
            wire["title"] = self.title
        wire["description"] = self.description
        if self.arguments:
            wire["arguments"] = [argument.to_wire() for argument in self.arguments]
        if self.icons:
            wire["icons"] = [icon.to_wire() for icon in self.icons]
        if self.meta:
            wire["_meta"] = dict(self.meta)
        return wire


def _message(item: Any) -> dict[str, Any]:
    if isinstance(item, PromptMessage):
        return {"role": item.role, "content": content_block(item.content)}
    if isinstance(item, Mapping) and "role" in item and "content" in item:
        return {"role": item["role"], "content": content_block(item["content"])}
    return {"role": "user", "content": content_block(item)}
