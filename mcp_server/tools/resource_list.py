"""The resources one client is shown, put together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.published_resource import PublishedResource


@dataclass(frozen=True, slots=True)
class ResourceList:
    """What `resources/list` tells one client: what is there for everybody, then what the modules' listers found.

    Args:
        epoch: The state of the catalogue it belongs to.
        published: The single resources the client may use.
        found: What the listers found and the client may read.

    >>> ResourceList(1, (), (ResourceLink("note:///a", "a", size=2),)).entries(0, 10)
    [{'uri': 'note:///a', 'name': 'a', 'size': 2}]
    """

    epoch: int
    published: tuple[PublishedResource, ...]
    found: tuple[ResourceLink, ...]

    def __len__(self) -> int:
        return len(self.published) + len(self.found)

    @property
    def fingerprint(self) -> str:
        """A text that is another one when anything in the list is, or the order is."""
        # A published resource changes only together with the epoch, so that its URI is enough.
        state = (self.epoch, [each.uri for each in self.published], self.found)
        return hashlib.sha256(repr(state).encode("utf-8", "surrogatepass")).hexdigest()

    def entries(self, start: int, stop: int) -> list[Mapping[str, Any]]:
        """Return the entries from `start` up to `stop`, as the newest revision lists them."""
        everything: tuple[PublishedResource | ResourceLink, ...] = (*self.published, *self.found)
        return [_entry(each) for each in everything[start:stop]]


def _entry(listed: PublishedResource | ResourceLink) -> Mapping[str, Any]:
    entry = listed.to_wire()
    # A link says in a content block that it is one; in a list everything is a resource.
    entry.pop("type", None)
    return entry
