"""A resource or a family of them, as it is listed and read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.argument_binding import ArgumentBinding
from mcp_server.tools.checks import is_asynchronous
from mcp_server.tools.content.audio import Audio
from mcp_server.tools.content.embedded_resource import EmbeddedResource
from mcp_server.tools.content.image import Image
from mcp_server.tools.content.text import Text
from mcp_server.tools.icon import Icon
from mcp_server.tools.result_building import to_plain
from mcp_server.tools.uri_template import URITemplate

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace


@dataclass(frozen=True, slots=True)
class PublishedResource:
    """Something to read under a URI, or under every URI of a template.

    Args:
        uri: The URI, or the template's text.
        name: Its name.
        handler: The author's function; its parameters are the template's variables.
        is_sync: Whether the handler blocks, and so runs in a thread.
        module: The module that offers it.
        template: The template, None for a single resource.
        client_parameter: The handler's parameter that takes the `ClientContext`, None when there is none.
        title: Its name for humans.
        description: What it is.
        mime_type: What reading it gives.
        size: Its length in bytes, where it is known beforehand.
        annotations: The protocol's annotations: `audience`, `priority`, `lastModified`.
        icons: Pictures for the client.
        meta: The resource's `_meta`.
        permissions: Everything its handler may need.
        bindings: The bound part of it.
        tags: The author's own labels.
        on_subscribe: The author's function that is told of a subscription; takes the context and the variables.
        place: Where a process of its own finds its handler; None where it never leaves the server.

    >>> from mcp_server.tools.module import Module
    >>> module = Module("notes")
    >>> @module.resource("note://{name}", mime_type="text/markdown")
    ... async def note(name: str) -> str:
    ...     "One note."
    ...     return f"# {name}"
    >>> module.lower(); module.resources["note://{name}"].to_wire()["uriTemplate"]
    'note://{name}'
    """

    uri: str
    name: str
    handler: Callable[..., Any] = field(repr=False)
    is_sync: bool
    module: str
    template: URITemplate | None = None
    client_parameter: str | None = None
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    annotations: Mapping[str, Any] | None = None
    icons: tuple[Icon, ...] = ()
    meta: Mapping[str, Any] | None = None
    permissions: tuple[Permission, ...] = ()
    bindings: tuple[ArgumentBinding, ...] = field(default=(), repr=False)
    tags: frozenset[str] = frozenset()
    on_subscribe: Callable[..., Any] | None = field(default=None, repr=False)
    place: HandlerPlace | None = field(default=None, repr=False, compare=False)

    def match(self, uri: str) -> dict[str, str] | None:
        """Return the values of the template's variables for a URI, None when it is not of this template."""
        if self.template is None:
            return {} if uri == self.uri else None
        checked = frozenset(binding.path[0] for binding in self.bindings if binding.permission.type.is_path)
        return self.template.match(uri, may_be_absolute=checked)

    async def run(self, uri: str, variables: Mapping[str, str], context: ClientContext) -> tuple[dict[str, Any], ...]:
        """Call the handler and return the contents.

        Raises:
            UnknownNameError: The handler returned None: there is nothing under this URI.

        Source: MCP 2026-07-28, server/resources, "Error handling": contents are never empty for a missing resource.
        """
        if self.place is not None and self.place.runs_apart(context):
            from mcp_server.tools.apart.apart_calls import read_resource

            return await read_resource(self, self.place, uri, variables, context)
        named: dict[str, Any] = dict(variables)
        if self.client_parameter is not None:
            named[self.client_parameter] = context
        value = await (context.run_sync(partial(self.handler, **named)) if self.is_sync else self.handler(**named))
        if inspect.isawaitable(value):
            value = await value
        if value is None:
            raise UnknownNameError("resource", uri)
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, _CONTENTS) for item in value):
            return tuple(self._contents(uri, item) for item in value)
        return (self._contents(uri, value),)

    async def subscribed(self, variables: Mapping[str, str], context: ClientContext) -> None:
        """Tell the author's hook, if there is one, that a client subscribes; what it raises refuses the subscription.

        Args:
            variables: The values of the template's variables.
            context: The client, with the rights of reading the resource.
        """
        hook = self.on_subscribe
        if hook is None:
            return
        if self.place is not None and self.place.runs_apart(context):
            from mcp_server.tools.apart.apart_calls import subscribe

            await subscribe(self, self.place, variables, context)
            return
        call = partial(hook, context, **variables)
        value = await (call() if is_asynchronous(hook) else context.run_sync(call))
        if inspect.isawaitable(value):
            await value

    def to_wire(self) -> dict[str, Any]:
        """Return the definition as the newest revision lists it, as a resource or as a template."""
        wire: dict[str, Any] = {"uri" if self.template is None else "uriTemplate": self.uri, "name": self.name}
        optional = {
            "title": self.title,
            "description": self.description,
            "mimeType": self.mime_type,
            "size": self.size if self.template is None else None,
        }
        wire.update({member: value for member, value in optional.items() if value is not None})
        if self.annotations:
            wire["annotations"] = dict(self.annotations)
        if self.icons:
            wire["icons"] = [icon.to_wire() for icon in self.icons]
        if self.meta:
            wire["_meta"] = dict(self.meta)
        return wire

    def _contents(self, uri: str, value: Any) -> dict[str, Any]:
        if isinstance(value, EmbeddedResource):
            return value.contents()
        if isinstance(value, (Image, Audio)):
            return EmbeddedResource(uri, value.data, value.mime_type).contents()
        if isinstance(value, Text):
            value = value.text
        if isinstance(value, (bytes, bytearray)):
            return EmbeddedResource(uri, bytes(value), self.mime_type).contents()
        if isinstance(value, str):
            return EmbeddedResource(uri, value, self.mime_type).contents()
        return EmbeddedResource(uri, to_json(to_plain(value)).decode(), self.mime_type or "application/json").contents()


_CONTENTS = (EmbeddedResource, Image, Audio, Text)
