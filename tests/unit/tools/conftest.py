"""A stand-in for the context, and the shortest way to call a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.module import Module
from mcp_server.tools.tool_manager import ToolManager


class FakeContext:
    """Runs plain functions at once and puts every path below `/root-of-client`."""

    max_result_bytes = 1_000_000
    isolation: str | None = None
    isolates = False

    def __init__(self) -> None:
        self.in_thread: list[Any] = []

    def resolve_path(self, text: str) -> str:
        return f"/root-of-client/{text}"

    def module_policy(self, module: str) -> ModulePolicy:
        return ModulePolicy()

    async def run_sync(self, function: Callable[..., Any], /, *args: Any) -> Any:
        self.in_thread.append(function)
        return function(*args)


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture
def manager_of() -> Callable[..., ToolManager]:
    """Registers modules and returns the manager of their tools."""

    def make(*modules: Module) -> ToolManager:
        catalog = Catalog()
        for module in modules:
            catalog.register(module)
        return ToolManager(catalog=catalog)

    return make


@pytest.fixture
def call(context: FakeContext) -> Callable[..., Any]:
    """Plans and carries out a call of one tool of a module."""

    def run(module: Module, name: str, /, **arguments: Any) -> Any:
        catalog = Catalog()
        catalog.register(module)
        operation = ToolManager(catalog=catalog).plan(name, arguments)
        return asyncio.run(_execute(operation, context))

    return run


async def _execute(operation: Any, context: Any) -> Any:
    return await operation.execute(context)
