"""What of a module's resources one client is shown."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.content.resource_link import ResourceLink

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

logger = logging.getLogger(__name__)

MAX_FOUND: Final = 10_000
"""Links taken from one lister; which of them the client may read is then looked at one by one."""


@dataclass(frozen=True, slots=True)
class ResourceLister:
    """Finds the resources that exist for the calling client, beside those that exist for everybody.

    Args:
        name: Its name within the module.
        handler: The author's function; it returns `ResourceLink` values.
        is_sync: Whether the handler blocks, and so runs in a thread.
        module: The module that offers it.
        client_parameter: The handler's parameter that takes the `ClientContext`.
        permissions: Everything it may need.

    >>> import asyncio
    >>> async def notes(client): return [ResourceLink("note:///a", "a")]
    >>> lister = ResourceLister("notes", notes, is_sync=False, module="notes")
    >>> [link.uri for link in asyncio.run(lister.find(None))]
    ['note:///a']
    """

    name: str
    handler: Callable[..., Any] = field(repr=False)
    is_sync: bool
    module: str
    client_parameter: str = "client"
    permissions: tuple[Permission, ...] = ()

    async def find(self, context: ClientContext) -> tuple[ResourceLink, ...]:
        """Return what the handler finds, `MAX_FOUND` links at most; nothing where it is refused or fails.

        A list is put together from several modules, and the trouble of one must not take away what the others have.
        """
        call = partial(self.handler, **{self.client_parameter: context})
        try:
            found = await (context.run_sync(call) if self.is_sync else call())
            if inspect.isawaitable(found):
                found = await found
            return tuple(self._links(found))
        except ConfigurationError:
            # What an author or the operator has to mend.
            logger.exception("module %s: the lister %s failed", self.module, self.name)
        except (MCPServerError, InputRequiredSignal) as refusal:
            logger.debug("module %s: the lister %s was refused: %s", self.module, self.name, refusal)
        except Exception:
            logger.exception("module %s: the lister %s failed", self.module, self.name)
        return ()

    @staticmethod
    def _links(found: Any) -> Iterator[ResourceLink]:
        for link in islice(found or (), MAX_FOUND):
            if not isinstance(link, ResourceLink):
                raise TypeError(f"a lister returns ResourceLink values, not {type(link).__name__}")
            yield link
