"""Finding published resources, and planning how to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp_server.security.operation import Operation
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.published_resource import PublishedResource

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


class PublishedResourceManager:
    """The resources of a catalog, as the protocol sees them.

    Args:
        catalog: Where the modules are registered.

    >>> PublishedResourceManager(catalog=Catalog()).visible(lambda resource: True)
    ()
    """

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def epoch(self) -> int:
        """A number that grows with every change of the lists."""
        return self._catalog.epoch("resources")

    def find(self, uri: str) -> tuple[PublishedResource, dict[str, str]]:
        """Return what a URI leads to, and the values of its template's variables.

        Single resources come first, then the template that says most.

        Raises:
            UnknownNameError: It leads nowhere.
        """
        return self._catalog.resource(uri)

    def visible(self, may_use: Callable[[PublishedResource], bool]) -> tuple[PublishedResource, ...]:
        """Return the single resources the predicate lets through, in order."""
        return tuple(item for item in self._catalog.resources() if item.template is None and may_use(item))

    def visible_templates(self, may_use: Callable[[PublishedResource], bool]) -> tuple[PublishedResource, ...]:
        """Return the templates the predicate lets through, in order."""
        return tuple(item for item in self._catalog.resources() if item.template is not None and may_use(item))

    def plan_read(self, uri: str) -> Operation:
        """Return the plan of reading a resource.

        Raises:
            UnknownNameError: The URI leads nowhere.
        """
        resource, variables = self._catalog.resource(uri)
        return self._plan("resources/read", uri, resource, variables, partial(self._read, resource, uri, variables))

    def plan_subscribe(self, uri: str) -> Operation:
        """Return the plan of watching a resource: it needs what reading needs, and does nothing.

        Raises:
            UnknownNameError: The URI leads nowhere.
        """
        resource, variables = self._catalog.resource(uri)
        return self._plan("resources/subscribe", uri, resource, variables, _nothing)

    def _plan(
        self,
        kind: str,
        uri: str,
        resource: PublishedResource,
        variables: Mapping[str, str],
        execute: Callable[..., Any],
    ) -> Operation:
        return Operation(
            kind=kind,
            name=uri,
            execute=execute,
            permissions=resource.permissions,
            needs=tuple(need for binding in resource.bindings for need in binding.needs(variables)),
            arguments=variables,
            has_effects=any(not permission.type.is_reading for permission in resource.permissions),
            module=resource.module,
        )

    async def _read(
        self, resource: PublishedResource, uri: str, variables: Mapping[str, str], context: ClientContext
    ) -> tuple[dict[str, Any], ...]:
        if not self._catalog.is_ready:
            await self._catalog.ensure_started(resource.module)
        return await resource.run(uri, variables, context)


async def _nothing(_context: ClientContext) -> None:
    return None
