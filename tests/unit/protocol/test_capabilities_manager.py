"""What is declared is what there is."""

from __future__ import annotations

from mcp_server.protocol.capabilities_manager import CapabilitiesManager
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.module import Module


def manager(catalog: Catalog) -> CapabilitiesManager:
    return CapabilitiesManager(catalog=catalog, server_info={"name": "desk", "version": "1"}, instructions=None)


def test_lists_are_declared_even_while_empty() -> None:
    declared = manager(Catalog()).declared
    assert declared["tools"] == declared["prompts"] == {"listChanged": True}
    assert declared["resources"] == {"subscribe": True, "listChanged": True}
    assert declared["logging"] == {}


def test_completions_are_declared_when_something_is_completed() -> None:
    catalog = Catalog()
    capabilities = manager(catalog)
    assert "completions" not in capabilities.declared
    module = Module("m")

    @module.prompt
    async def greet(name: str) -> str:
        return name

    @module.completion("greet", "name")
    async def names(text: str) -> list[str]:
        return []

    catalog.register(module)
    assert capabilities.declared["completions"] == {}
