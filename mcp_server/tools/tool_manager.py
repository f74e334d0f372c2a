"""Finding tools, and planning calls of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.operation import Operation
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.refusing import refusing
from mcp_server.tools.tool import Tool

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.tool_result import ToolResult


class ToolManager:
    """The tools of a catalog, as the protocol sees them.

    It runs nothing by itself: `plan` returns an `Operation`, which only the security chain carries out.

    Args:
        catalog: Where the modules are registered.

    >>> ToolManager(catalog=Catalog()).visible(lambda tool: True)
    ()
    """

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def epoch(self) -> int:
        """A number that grows with every change of the list."""
        return self._catalog.epoch("tools")

    def get(self, name: str) -> Tool:
        """Return the tool, in constant time.

        Raises:
            UnknownNameError: There is none of that name.
        """
        return self._catalog.tool(name)

    def visible(self, may_use: Callable[[Tool], bool]) -> tuple[Tool, ...]:
        """Return the tools the predicate lets through, by module and then in the order of their registration."""
        return tuple(tool for tool in self._catalog.tools() if may_use(tool))

    def plan(self, name: str, arguments: Mapping[str, Any] | None) -> Operation:
        """Return the plan of a call; nothing is validated or touched yet, only the bound arguments are read.

        A bound argument that is neither a text nor a list of texts gives a plan that does nothing but say so: whether
        the caller may know of the tool at all is for the chain to find out first.

        Raises:
            UnknownNameError: There is no tool of that name.
        """
        tool = self._catalog.tool(name)
        if arguments is None:
            arguments = {}
        try:
            needs = tool.needs(arguments) if tool.bindings else ()
        except InvalidArgumentsError as error:
            return refusing("tools/call", name, tool.permissions, error, module=tool.module)
        run = tool.run if self._catalog.is_ready else partial(self._run_late, tool)
        # By position: naming the eleven costs as much again, and one is made for every call.
        return Operation(
            "tools/call",
            name,
            partial(run, arguments),
            tool.permissions,
            needs,
            arguments,
            tool.has_effects,
            tool.definition_hash,
            tool.timeout_seconds,
            tool.module,
            True,
            tool,
        )

    async def _run_late(self, tool: Tool, arguments: Mapping[str, Any], context: ClientContext) -> ToolResult:
        await self._catalog.ensure_started(tool.module)
        return await tool.run(arguments, context)
