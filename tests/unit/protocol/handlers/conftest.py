"""A chain that permits what it is told to, and a catalogue with a little of everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.list_pages import ListPages
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.module import Module


class NoDoors:
    """A context for handlers that use none of it."""

    isolates = False

    def module_policy(self, module: str) -> ModulePolicy:
        return ModulePolicy("inline")


class FakeView:
    """Shows every name but those that are hidden."""

    fingerprint = "view"

    def __init__(self, hidden: set[str]) -> None:
        self.hidden = hidden

    def may_use(self, kind: str, name: str, permissions: Any) -> bool:
        return name not in self.hidden


class FakeChain:
    """Runs every plan but those of hidden names; knows everybody unless told otherwise."""

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self.is_stranger = False
        self.ran: list[Any] = []

    def view(self, credentials: Credentials, **_: Any) -> FakeView:
        if self.is_stranger:
            raise AuthenticationError("nobody")
        return FakeView(self.hidden)

    async def run(self, credentials: Credentials, plan: Callable[[Principal], Any], **_: Any) -> Any:
        operation = plan(Principal("local", ("test",)))
        self.ran.append(operation)
        if operation.name in self.hidden:
            raise PermissionDeniedError("no")
        return await operation.execute(NoDoors())


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture
def pages() -> ListPages:
    return ListPages(codec=JSONRPCCodec(), cursors=CursorCodec(bytes(16)))


@pytest.fixture
def catalog() -> Catalog:
    module = Module("m")

    @module.tool
    async def echo(text: str) -> str:
        return text

    @module.tool
    async def other(text: str) -> str:
        return text

    @module.prompt
    async def greet(name: str) -> str:
        return f"Greet {name}."

    @module.prompt
    async def part() -> str:
        return "Part."

    @module.resource("note:///a")
    async def note() -> str:
        return "a"

    @module.resource("page:///{name}")
    async def page(name: str) -> str:
        return name

    @module.completion("greet", "name")
    async def names(text: str) -> list[str]:
        return [text + "a", text + "b"]

    catalog = Catalog()
    catalog.register(module)
    return catalog
