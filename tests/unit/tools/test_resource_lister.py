"""Listing resources for the calling client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.testing.client_for import client_for
from mcp_server.testing.module_client import ModuleClient
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.module import Module
from mcp_server.tools.published_resource_manager import MAX_LISTED, PublishedResourceManager
from mcp_server.tools.resource_lister import MAX_FOUND, ResourceLister

BELL = Permission(PermissionType.custom("CUSTOM_BELL"))


def found(lister: ResourceLister, context: Any) -> list[str]:
    return [link.uri for link in asyncio.run(lister.find(context))]


def lister_of(function: Callable[..., Any], **options: Any) -> ResourceLister:
    module = Module("m")
    module.resource_list(**options)(function)
    return module.listers[function.__name__]


def test_plain_functions_run_in_a_thread_and_the_context_has_any_name(context: Any) -> None:
    def mine(me: ClientContext) -> list[ResourceLink]:  # type: ignore[name-defined]  # noqa: F821  # The name is enough.
        assert me is context
        return [ResourceLink("n://a", "a")]

    assert found(lister_of(mine), context) == ["n://a"]
    assert len(context.in_thread) == 1


def test_no_more_is_taken_than_anybody_looks_at(context: Any) -> None:
    async def many(client: Any) -> Any:
        return (ResourceLink(f"n://{number}", "n") for number in range(MAX_FOUND + 5))

    assert len(found(lister_of(many), context)) == MAX_FOUND


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (PermissionDeniedError("no"), logging.DEBUG),
        (ConfigurationError("x"), logging.ERROR),
        (KeyError(), logging.ERROR),
    ],
)
def test_trouble_of_a_lister_lists_nothing(
    context: Any, caplog: pytest.LogCaptureFixture, error: Exception, level: int
) -> None:
    caplog.set_level(logging.DEBUG)

    async def broken(client: Any) -> Any:
        raise error

    assert found(lister_of(broken), context) == []
    assert [record.levelno for record in caplog.records if record.name == "mcp_server.tools.resource_lister"] == [level]


@pytest.mark.parametrize("value", [None, [], [ResourceLink("n://a", "a"), "n://b"], 3])
def test_what_is_no_list_of_links_lists_nothing(context: Any, value: Any) -> None:
    async def wrong(client: Any) -> Any:
        return value

    assert found(lister_of(wrong), context) == []


def test_a_lister_takes_the_context_alone_and_binds_nothing() -> None:
    async def two(client: Any, more: str) -> None: ...

    async def none() -> None: ...

    async def fine(client: Any) -> None: ...

    for function in (two, none):
        with pytest.raises(ConfigurationError, match="nothing else"):
            lister_of(function)
    with pytest.raises(ConfigurationError, match="bound"):
        lister_of(fine, permissions=[Permission(PermissionType.FILE_READ, argument="path")])
    module = Module("m")
    module.resource_list()(fine)
    with pytest.raises(ConfigurationError, match="twice"):
        module.resource_list()(fine)


def library() -> Module:
    module = Module("library")

    @module.resource("note:///first")
    async def first() -> str:
        return "1"

    @module.resource("note:///{name}")
    async def note(name: str) -> str:
        return name

    @module.resource("secret:///{name}", permissions=[Permission(PermissionType.S3_READ)])
    async def secret(name: str) -> str:
        return name

    @module.resource_list()
    async def mine(client: Any) -> list[ResourceLink]:
        uris = ("note:///b", "note:///first", "secret:///x", "note:///b", "nowhere://x", "note:///a%2Fb", "note:///a")
        return [ResourceLink(uri, uri, size=1, mime_type="text/plain") for uri in uris]

    @module.resource_list(permissions=[Permission(PermissionType.S3_READ)])
    async def forbidden(client: Any) -> list[ResourceLink]:
        return [ResourceLink("note:///forbidden", "f")]

    return module


def served(module: Module, act: Callable[[ModuleClient], Any], **options: Any) -> Any:
    async def run() -> Any:
        async with client_for(module, **options) as client:
            return await act(client)

    return asyncio.run(run())


async def listed(client: ModuleClient) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = (await client.request("resources/list"))["resources"]
    return resources


@pytest.mark.parametrize("revision", ["2024-11-05", "2026-07-28"])
def test_a_client_is_shown_what_it_may_read_in_order_and_once(revision: str) -> None:
    entries = served(library(), listed, revision=revision)
    assert [entry["uri"] for entry in entries] == ["note:///first", "note:///b", "note:///a"]
    assert "type" not in entries[1]
    assert entries[1]["mimeType"] == "text/plain"


def test_a_lister_that_is_permitted_contributes_and_one_that_is_not_does_not(tmp_path: Any) -> None:
    assert {entry["uri"] for entry in served(library(), listed, allow=["S3_READ **"])} == {
        "note:///first",
        "note:///b",
        "secret:///x",
        "note:///a",
        "note:///forbidden",
    }


def test_the_list_is_one_call_on_record() -> None:
    async def act(client: ModuleClient) -> list[str]:
        before = len(client.audit)
        await listed(client)
        return [record.kind for record in client.audit[before:]]

    assert served(library(), act) == ["call.done"]


def test_a_list_asks_nobody() -> None:
    module = Module("m")

    @module.resource("n://{name}", permissions=[Permission(BELL.type, argument="name")])
    async def note(name: str) -> str:
        return name

    @module.resource_list(permissions=[BELL])
    async def nosy(client: Any) -> list[ResourceLink]:
        await client.ask("Really?", {"sure": bool})
        return [ResourceLink("n://a", "a")]

    @module.resource_list()
    async def calm(client: Any) -> list[ResourceLink]:
        return [ResourceLink("n://b", "b")]

    async def answer(method: str, params: Any) -> Any:
        raise AssertionError("a list asked")

    for revision in ("2025-11-25", "2026-07-28"):
        options: dict[str, Any] = {"answer": answer, "revision": revision}
        assert [each["uri"] for each in served(module, listed, allow=["CUSTOM_BELL **"], **options)] == ["n://b"]
        assert served(module, listed, ask=["CUSTOM_BELL **"], **options) == []


def numbered(count: int) -> tuple[Module, list[int]]:
    module, numbers = Module("m"), list(range(count))

    @module.resource("n://{name}")
    async def note(name: str) -> str:
        return name

    @module.resource_list()
    async def mine(client: Any) -> list[ResourceLink]:
        return [ResourceLink(f"n://{number}", "n") for number in numbers]

    @module.resource_list()
    async def others(client: Any) -> list[ResourceLink]:
        return [ResourceLink(f"n://x{number}", "n") for number in numbers]

    return module, numbers


def test_each_lister_is_bounded_and_the_list_is_paged() -> None:
    async def act(client: ModuleClient) -> list[str]:
        uris: list[str] = []
        params: dict[str, Any] = {}
        while True:
            page = await client.request("resources/list", params)
            uris += [entry["uri"] for entry in page["resources"]]
            if "nextCursor" not in page:
                return uris
            assert len(page["resources"]) == MAX_LISTED
            params = {"cursor": page["nextCursor"]}

    module, _ = numbered(MAX_LISTED + 10)
    uris = served(module, act)
    assert uris == [f"n://{letter}{number}" for letter in ("", "x") for number in range(MAX_LISTED)]


def test_a_cursor_is_good_until_what_is_found_changes() -> None:
    module, numbers = numbered(MAX_LISTED)

    async def act(client: ModuleClient) -> None:
        cursor = (await client.request("resources/list"))["nextCursor"]
        again = await client.request("resources/list", {"cursor": cursor})
        assert again["resources"][0]["uri"] == "n://x0"
        numbers[5] = 77_777
        with pytest.raises(Exception, match="list again"):
            await client.request("resources/list", {"cursor": cursor})

    served(module, act)


def test_a_list_that_comes_later_is_told() -> None:
    module = library()

    async def act(client: ModuleClient) -> None:
        @module.resource_list()
        async def later(client: Any) -> list[ResourceLink]:
            return [ResourceLink("note:///later", "later")]

        assert "notifications/resources/list_changed" in [each["method"] for each in client.notifications]
        assert "note:///later" in [entry["uri"] for entry in await listed(client)]

    served(module, act, revision="2025-11-25")


def only(uri: str) -> Callable[..., Any]:
    async def found(client: Any) -> list[ResourceLink]:
        return [ResourceLink(uri, "x")]

    return found


def test_a_module_that_does_not_start_takes_no_others_entries_away() -> None:
    catalog = Catalog()
    broken, fine = Module("broken"), Module("fine")
    broken.on_start(lambda: 1 / 0)

    @fine.resource("n://{name}")
    async def note(name: str) -> str:
        return name

    for module in (broken, fine):
        module.resource_list()(only(f"n://{module.name}"))
        catalog.register(module)
    operation = PublishedResourceManager(catalog=catalog).plan_list(lambda permissions: True, lambda uri: True)
    assert not operation.has_effects
    assert [link.uri for link in asyncio.run(_execute(operation)).found] == ["n://fine"]


async def _execute(operation: Any) -> Any:
    return await operation.execute(None)
