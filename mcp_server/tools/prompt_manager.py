"""Finding prompts, and planning how to get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.operation import Operation
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.refusing import refusing

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.prompt import Prompt
    from mcp_server.tools.prompt_result import PromptResult


class PromptManager:
    """The prompts of a catalog, as the protocol sees them.

    Args:
        catalog: Where the modules are registered.

    >>> PromptManager(catalog=Catalog()).visible(lambda prompt: True)
    ()
    """

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def epoch(self) -> int:
        """A number that grows with every change of the list."""
        return self._catalog.epoch("prompts")

    def get(self, name: str) -> Prompt:
        """Return the prompt.

        Raises:
            UnknownNameError: There is none of that name.
        """
        return self._catalog.prompt(name)

    def visible(self, may_use: Callable[[Prompt], bool]) -> tuple[Prompt, ...]:
        """Return the prompts the predicate lets through, by module and then in the order of their registration."""
        return tuple(prompt for prompt in self._catalog.prompts() if may_use(prompt))

    def plan_get(self, name: str, arguments: Mapping[str, Any] | None) -> Operation:
        """Return the plan of getting a prompt.

        Raises:
            UnknownNameError: There is no prompt of that name.
            InvalidArgumentsError: The arguments are no object.
        """
        prompt = self._catalog.prompt(name)
        given = {} if arguments is None else arguments
        if not isinstance(given, Mapping):
            raise InvalidArgumentsError(["the arguments must be an object"])
        try:
            needs = tuple(need for binding in prompt.bindings for need in binding.needs(given))
        except InvalidArgumentsError as error:
            return refusing("prompts/get", name, prompt.permissions, error, module=prompt.module)
        return Operation(
            kind="prompts/get",
            name=name,
            execute=partial(self._run, prompt, given),
            permissions=prompt.permissions,
            needs=needs,
            arguments=given,
            has_effects=any(not permission.type.is_reading for permission in prompt.permissions),
            module=prompt.module,
        )

    async def _run(self, prompt: Prompt, arguments: Mapping[str, Any], context: ClientContext) -> PromptResult:
        if not self._catalog.is_ready:
            await self._catalog.ensure_started(prompt.module)
        return await prompt.run(arguments, context)
