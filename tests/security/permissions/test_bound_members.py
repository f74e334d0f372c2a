"""A resource that hides in the members of an object, or in a list within a list, is checked like any other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.testing.client_for import client_for
from mcp_server.tools.module import Module

SCHEMA = {
    "type": "object",
    "properties": {
        "files": {"type": "object", "additionalProperties": {"type": "string"}},
        "grid": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    },
}
GOOD: dict[str, Any] = {"files": {"one": "a.md", "two": "b.md"}, "grid": [["a.md"], ["b.md", "a.md"]]}


def called(folder: Path, arguments: dict[str, Any], bound: tuple[str, ...]) -> tuple[bool, int]:
    """Return whether the call was refused, and how often the handler ran."""
    module = Module("probe")
    runs: list[object] = []

    async def take(client: Any, params: dict[str, Any]) -> str:
        runs.append(params)
        return "taken"

    module.register_tool(
        name="take",
        description="Take files.",
        input_schema=SCHEMA,
        permissions=[Permission(PermissionType.FILE_READ, "**", argument=bound)] if bound else [],
        plain=() if bound else ("files", "grid"),
        handler=take,
    )

    async def attack() -> bool:
        async with client_for(module, folder=folder, allow=["FILE_READ *.md"]) as client:
            return bool((await client.result("take", **arguments)).get("isError"))

    return asyncio.run(attack()), len(runs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.md", "b.md", "secret.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        {"files": {"one": "a.md", "two": "secret.txt"}},
        {"files": {"one": "../outside.md"}},
        {"files": {"": "secret.txt"}},
        {"grid": [["a.md"], ["b.md", "secret.txt"]]},
        {"grid": [[], [], ["secret.txt"]]},
    ],
)
def test_no_member_and_no_nested_element_passes_unseen(folder: Path, arguments: dict[str, Any]) -> None:
    assert called(folder, GOOD, ("/files/*", "/grid/*/*")) == (False, 1)
    assert called(folder, arguments, ("/files/*", "/grid/*/*")) == (True, 0)
    # The control: without the binding the handler would have had it.
    assert called(folder, arguments, ()) == (False, 1)
