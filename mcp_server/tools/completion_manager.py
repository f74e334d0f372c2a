"""Planning completions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.operation import Operation
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.completion_result import CompletionResult

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.completion import Completion
    from mcp_server.tools.prompt import Prompt
    from mcp_server.tools.published_resource import PublishedResource


class CompletionManager:
    """The completions of a catalog, as the protocol sees them.

    Args:
        catalog: Where the modules are registered.

    >>> CompletionManager(catalog=Catalog()).has_any
    False
    """

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def has_any(self) -> bool:
        """Whether any module completes anything, and the capability is worth declaring."""
        return self._catalog.has_completions()

    def plan_complete(
        self, ref: Mapping[str, Any], argument: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> Operation:
        """Return the plan of completing an argument; where nobody completes it, the plan gives no values.

        The permissions of the plan are those of the prompt or template as well: who may not use it learns nothing.

        Args:
            ref: The protocol's `ref/prompt` or `ref/resource`.
            argument: The argument's `name` and its `value` so far.
            context: The protocol's `context`, with the other `arguments`.

        Raises:
            UnknownNameError: There is no such prompt or template.
            InvalidArgumentsError: The reference or the argument has not the protocol's form.
        """
        name, value = argument.get("name"), argument.get("value")
        kind = ref.get("type")
        reference = ref.get("name") if kind == "ref/prompt" else ref.get("uri")
        others = {} if context is None else context.get("arguments", {})
        if kind not in ("ref/prompt", "ref/resource") or not isinstance(reference, str):
            raise InvalidArgumentsError(["'ref' must be a ref/prompt with a name or a ref/resource with a uri"])
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidArgumentsError(["'argument' must have a name and a value, both texts"])
        if not isinstance(others, Mapping) or not all(isinstance(text, str) for text in others.values()):
            raise InvalidArgumentsError(["'context.arguments' must be an object of texts"])
        # Under the name that was asked for: a refusal must not tell the template behind an address.
        asked = reference
        owner: Prompt | PublishedResource
        if kind == "ref/prompt":
            owner = self._catalog.prompt(reference)
        else:
            owner = self._catalog.resource_entry(reference)
            reference = owner.uri
        completion = self._catalog.completion(reference, name)
        own = completion.permissions if completion is not None else ()
        return Operation(
            kind="completion/complete",
            name=asked,
            execute=_none if completion is None else partial(self._run, completion, value, others),
            permissions=tuple(dict.fromkeys((*own, *owner.permissions))),
            arguments={name: value},
            has_effects=any(not permission.type.is_reading for permission in own),
            module=owner.module,
        )

    async def _run(
        self, completion: Completion, value: str, others: Mapping[str, str], context: ClientContext
    ) -> CompletionResult:
        if not self._catalog.is_ready:
            await self._catalog.ensure_started(completion.module)
        return await completion.run(value, others, context)


async def _none(_context: ClientContext) -> CompletionResult:
    return CompletionResult()
