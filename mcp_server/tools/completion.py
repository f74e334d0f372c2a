"""A source of values for one argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.completion_result import CompletionResult

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace


@dataclass(frozen=True, slots=True)
class Completion:
    """Completes one argument of a prompt, or one variable of a resource template.

    Args:
        reference: The prompt's name or the template's text.
        argument: The argument's name.
        handler: The author's function: of the text so far and, if it has a second parameter, of the other arguments.
        is_sync: Whether the handler blocks, and so runs in a thread.
        module: The module that offers it.
        value_parameter: The handler's parameter for the text so far.
        arguments_parameter: Its parameter for the other arguments, None when there is none.
        client_parameter: Its parameter for the `ClientContext`, None when there is none.
        permissions: Everything it may need.
        place: Where a process of its own finds its handler; None where it never leaves the server.

    >>> Completion("haiku", "topic", handler=str, is_sync=True, module="poems", value_parameter="value").argument
    'topic'
    """

    reference: str
    argument: str
    handler: Callable[..., Any] = field(repr=False)
    is_sync: bool
    module: str
    value_parameter: str
    arguments_parameter: str | None = None
    client_parameter: str | None = None
    permissions: tuple[Permission, ...] = ()
    place: HandlerPlace | None = field(default=None, repr=False, compare=False)

    async def run(self, value: str, arguments: Mapping[str, str], context: ClientContext) -> CompletionResult:
        """Call the handler and return its values, a hundred at most."""
        if self.place is not None and self.place.runs_apart(context):
            from mcp_server.tools.apart.apart_calls import complete

            return await complete(self, self.place, value, arguments, context)
        named: dict[str, Any] = {self.value_parameter: value}
        if self.arguments_parameter is not None:
            named[self.arguments_parameter] = dict(arguments)
        if self.client_parameter is not None:
            named[self.client_parameter] = context
        found = await (context.run_sync(partial(self.handler, **named)) if self.is_sync else self.handler(**named))
        if inspect.isawaitable(found):
            found = await found
        return CompletionResult.of(found)
