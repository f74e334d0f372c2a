"""Finding published resources, and planning how to read them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.security.operation import Operation
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.catalog import Catalog

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.content.resource_link import ResourceLink
    from mcp_server.tools.published_resource import PublishedResource
    from mcp_server.tools.resource_list import ResourceList
    from mcp_server.tools.resource_lister import ResourceLister

logger = logging.getLogger(__name__)

MAX_LISTED: Final = 1_000
"""Links shown of one lister: as many as one page holds; whoever has more offers a tool to search them."""

_JUDGED_AT_ONCE: Final = 64
"""Links judged before others have their turn on the loop; one takes some ten microseconds."""


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

    def plan_list(
        self, may_use: Callable[[tuple[Permission, ...]], bool], may_read: Callable[[str], bool]
    ) -> Operation:
        """Return the plan of listing resources: those of the catalogue, then what the modules' listers find.

        It has the permissions of the listers that the client may use; another lister contributes nothing. Nothing is
        listed that the client may not read, whatever its lister thought: a link of a lister is held against the rights
        of reading it, and left out when it leads nowhere.

        Args:
            may_use: Whether the client could ever have all of the given permissions.
            may_read: Whether the client may read a URI now, without a question.
        """
        listers = tuple(lister for lister in self._catalog.listers() if may_use(lister.permissions))
        return Operation(
            kind="resources/list",
            name="resources",
            execute=partial(self._list, listers, may_use, may_read),
            permissions=tuple(dict.fromkeys(each for lister in listers for each in lister.permissions)),
            has_effects=False,
            is_counted=False,
        )

    def plan_read(self, uri: str) -> Operation:
        """Return the plan of reading a resource.

        Raises:
            UnknownNameError: The URI leads nowhere.
        """
        resource, variables = self._catalog.resource(uri)
        return self._plan("resources/read", uri, resource, variables, partial(self._read, resource, uri, variables))

    def plan_subscribe(self, uri: str) -> Operation:
        """Return the plan of watching a resource: it needs what reading needs, and tells the resource's own hook.

        Raises:
            UnknownNameError: The URI leads nowhere.
        """
        resource, variables = self._catalog.resource(uri)
        return self._plan("resources/subscribe", uri, resource, variables, partial(self._watch, resource, variables))

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

    async def _watch(self, resource: PublishedResource, variables: Mapping[str, str], context: ClientContext) -> None:
        if resource.on_subscribe is None:
            return
        if not self._catalog.is_ready:
            await self._catalog.ensure_started(resource.module)
        await resource.subscribed(variables, context)

    async def _list(
        self,
        listers: Sequence[ResourceLister],
        may_use: Callable[[tuple[Permission, ...]], bool],
        may_read: Callable[[str], bool],
        context: ClientContext,
    ) -> ResourceList:
        epoch = self.epoch
        published = self.visible(lambda resource: may_use(resource.permissions))
        found: dict[str, ResourceLink] = {}
        known = {resource.uri for resource in published}
        for lister in listers:
            try:
                await self._catalog.ensure_started(lister.module)
            except MCPServerError:
                logger.exception("the resources of module %s are not listed", lister.module)
                continue
            room = len(found) + MAX_LISTED
            for number, link in enumerate(await lister.find(context)):
                if number % _JUDGED_AT_ONCE == _JUDGED_AT_ONCE - 1:
                    await asyncio.sleep(0)
                if link.uri not in known and link.uri not in found and may_read(link.uri):
                    found[link.uri] = link
                    if len(found) == room:
                        break
        # What only a listing needs is imported for the first one.
        from mcp_server.tools.resource_list import ResourceList

        return ResourceList(epoch, published, tuple(found.values()))
