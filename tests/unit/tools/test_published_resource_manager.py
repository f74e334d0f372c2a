"""Finding and reading published resources."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.content.embedded_resource import EmbeddedResource
from mcp_server.tools.content.image import Image
from mcp_server.tools.content.text import Text
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.published_resource_manager import PublishedResourceManager

READ = Permission(PermissionType.FILE_READ, argument="path")


def library() -> Module:
    module = Module("library")

    @module.resource("note:///today", title="Today", mime_type="text/markdown", size=3, annotations={"priority": 1})
    async def today() -> str:
        "What today brings."
        return "abc"

    @module.resource("note:///{name}")
    def note(name: str, client: Any) -> str:
        return f"note {name}"

    @module.resource("note:///{name}/raw")
    async def raw(name: str) -> bytes | None:
        return None if name == "missing" else b"hi"

    @module.resource("file://{+path}", permissions=[READ])
    async def file(path: str) -> Any:
        return [EmbeddedResource(f"file://{path}", "x"), Image(b"i"), Text("t")]

    @module.resource("data:///table")
    async def table() -> Any:
        return {"n": 1}

    return module


def manager() -> PublishedResourceManager:
    catalog = Catalog()
    catalog.register(library())
    return PublishedResourceManager(catalog=catalog)


def read(uri: str, context: Any) -> Any:
    async def run() -> Any:
        return await manager().plan_read(uri).execute(context)

    return asyncio.run(run())


def test_lists_are_apart_and_complete() -> None:
    assert [item.to_wire()["uri"] for item in manager().visible(lambda item: True)] == [
        "note:///today",
        "data:///table",
    ]
    templates = manager().visible_templates(lambda item: True)
    assert [item.to_wire()["uriTemplate"] for item in templates] == [
        "note:///{name}",
        "note:///{name}/raw",
        "file://{+path}",
    ]
    assert manager().visible(lambda item: True)[0].to_wire() == {
        "uri": "note:///today",
        "name": "today",
        "title": "Today",
        "description": "What today brings.",
        "mimeType": "text/markdown",
        "size": 3,
        "annotations": {"priority": 1},
    }


def test_single_resource_comes_before_a_template_and_the_template_that_says_most_first(context: Any) -> None:
    assert read("note:///today", context) == ({"uri": "note:///today", "mimeType": "text/markdown", "text": "abc"},)
    assert read("note:///x", context) == ({"uri": "note:///x", "mimeType": "text/plain", "text": "note x"},)
    assert read("note:///x/raw", context) == (
        {"uri": "note:///x/raw", "mimeType": "application/octet-stream", "blob": "aGk="},
    )


def test_contents_of_every_kind_can_be_returned(context: Any) -> None:
    assert [sorted(item) for item in read("file:///a", context)] == [
        ["mimeType", "text", "uri"],
        ["blob", "mimeType", "uri"],
        ["mimeType", "text", "uri"],
    ]
    assert read("data:///table", context)[0] == {
        "uri": "data:///table",
        "mimeType": "application/json",
        "text": '{"n":1}',
    }


@pytest.mark.parametrize("uri", ["nothing://here", "note:///a%2Fb", "note:///..", "note:///{name}", ""])
def test_uri_that_leads_nowhere_is_unknown(uri: str) -> None:
    if uri == "note:///{name}":
        # The template's own text is a URI of the template like any other, and never the template itself.
        assert manager().find(uri)[1] == {"name": "{name}"}
        return
    with pytest.raises(UnknownNameError, match="unknown resource"):
        manager().plan_read(uri)


def test_missing_resource_is_unknown_and_never_empty(context: Any) -> None:
    with pytest.raises(UnknownNameError):
        read("note:///missing/raw", context)


def test_plan_needs_the_variable_the_permission_is_bound_to() -> None:
    operation = manager().plan_read("file:///a/b.txt")
    assert (operation.kind, operation.name, operation.has_effects) == ("resources/read", "file:///a/b.txt", False)
    assert [(need.permission, need.text) for need in operation.needs] == [(READ, "/a/b.txt")]


def test_watching_needs_what_reading_needs(context: Any) -> None:
    operation = manager().plan_subscribe("file:///a/b.txt")
    assert operation.kind == "resources/subscribe"
    assert [need.text for need in operation.needs] == ["/a/b.txt"]

    async def run() -> Any:
        return await operation.execute(context)

    assert asyncio.run(run()) is None


def test_mark_on_a_variable_binds_it() -> None:
    module = Module("m")

    @module.resource("doc:///{+path}")
    async def doc(path: Annotated[str, Reads("docs/**")]) -> str:
        return str(Path(path))

    module.lower()
    assert module.resources["doc:///{+path}"].permissions == (
        Permission(PermissionType.FILE_READ, "docs/**", argument="path"),
    )


def watched(hook: Any, context: Any, uri: str = "note:///a") -> Any:
    module = Module("m")

    @module.resource("note:///{name}", on_subscribe=hook)
    async def note(name: str) -> str:
        return name

    catalog = Catalog()
    catalog.register(module)

    async def run() -> Any:
        return await PublishedResourceManager(catalog=catalog).plan_subscribe(uri).execute(context)

    return asyncio.run(run())


def test_watching_tells_the_hook_the_client_and_the_variables(context: Any) -> None:
    told: list[Any] = []

    async def asynchronous(client: Any, name: str) -> None:
        told.append((client, name))

    def plain(client: Any, **variables: str) -> None:
        told.append((client, variables))

    watched(asynchronous, context)
    watched(plain, context, "note:///b%20c")
    assert told == [(context, "a"), (context, {"name": "b c"})]
    assert len(context.in_thread) == 1


def test_what_a_hook_raises_refuses_the_subscription(context: Any) -> None:
    async def no(client: Any, name: str) -> None:
        raise UnknownNameError("resource", name)

    with pytest.raises(UnknownNameError):
        watched(no, context)


def test_a_hook_that_does_not_take_the_variables_is_refused() -> None:
    async def other(client: Any, path: str) -> None: ...

    async def none() -> None: ...

    for hook in (other, none):
        with pytest.raises(ConfigurationError, match="on_subscribe"):
            watched(hook, None)
