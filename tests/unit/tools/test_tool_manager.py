"""Plans: what they need, and what carrying them out gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.operation import Operation
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.markers.writes import Writes
from mcp_server.tools.module import Module
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.tool_manager import ToolManager

MakeManager = Callable[..., ToolManager]


async def handle(client: Any, params: dict[str, Any]) -> dict[str, Any]:
    return params


def written(schema: dict[str, Any], *arguments: str, **options: Any) -> Module:
    module = Module("m")
    permissions = [Permission(PermissionType.FILE_READ, argument=argument) for argument in arguments]
    module.register_tool(
        name="t", description="d", input_schema=schema, permissions=permissions, handler=handle, **options
    )
    return module


def texts(manager: ToolManager, arguments: Any) -> list[str]:
    return [need.text for need in manager.plan("t", arguments).needs]


def test_plan_carries_what_the_chain_needs(manager_of: MakeManager) -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    manager = manager_of(written(schema, "path", timeout_seconds=3.0))
    operation = manager.plan("t", {"path": "a.txt"})
    assert (operation.kind, operation.name, operation.module) == ("tools/call", "t", "m")
    assert operation.permissions == manager.get("t").permissions
    assert [need.text for need in operation.needs] == ["a.txt"]
    assert operation.arguments == {"path": "a.txt"}
    assert operation.timeout_seconds == 3.0
    assert operation.has_effects
    assert len(operation.definition_hash) == 64


def test_unknown_tool_has_no_plan(manager_of: MakeManager) -> None:
    with pytest.raises(UnknownNameError):
        manager_of().plan("t", {})


def test_plan_does_not_validate(manager_of: MakeManager, context: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    operation = manager_of(written(schema)).plan("t", None)

    async def run() -> Any:
        return await operation.execute(context)

    with pytest.raises(InvalidArgumentsError, match="'n' is missing"):
        asyncio.run(run())


def test_only_a_tool_annotated_read_only_has_no_effects(manager_of: MakeManager) -> None:
    schema = {"type": "object"}
    assert manager_of(written(schema)).plan("t", {}).has_effects
    quiet = written(schema, annotations=ToolAnnotations(read_only=True))
    assert not manager_of(quiet).plan("t", {}).has_effects


@pytest.mark.parametrize(
    ("path", "schema", "arguments", "expected"),
    [
        ("paths", {"type": "array", "items": {"type": "string"}}, {"paths": ["a", "b"]}, ["a", "b"]),
        ("paths", {"type": "array", "items": {"type": "string"}}, {}, []),
        ("paths", {"type": "array", "items": {"type": "string"}}, {"paths": None}, []),
        ("paths.to", {"type": "object", "properties": {"to": {"type": "string"}}}, {"paths": {"to": "x"}}, ["x"]),
        ("paths.to", {"type": "object"}, {"paths": [{"to": "x"}, {"to": "y"}, {}]}, ["x", "y"]),
        ("paths", {"type": "string"}, {"paths": '["a", "b"]'}, ['["a", "b"]']),
    ],
)
def test_bound_values_are_found_in_lists_and_objects(
    manager_of: MakeManager, path: str, schema: Any, arguments: Any, expected: list[str]
) -> None:
    manager = manager_of(written({"type": "object", "properties": {"paths": schema}}, path))
    assert texts(manager, arguments) == expected


async def refused(operation: Operation) -> None:
    """Carry a plan out that touches nothing and asks for nothing."""
    assert operation.needs == ()
    assert not operation.has_effects
    await operation.execute(None)  # type: ignore[arg-type] # it refuses before it looks


@pytest.mark.parametrize("value", [1, True, {"a": "b"}, [1], [["a"]], [None], 1.5, [{"to": "x"}]])
def test_bound_value_that_is_no_text_is_refused_by_the_plan(manager_of: MakeManager, value: Any) -> None:
    manager = manager_of(written({"type": "object", "properties": {"path": {}}}, "path"))
    with pytest.raises(InvalidArgumentsError, match="'path' must be a text or a list of texts"):
        asyncio.run(refused(manager.plan("t", {"path": value})))


@pytest.mark.parametrize("value", ["x", 1, [1], {"to": 1}, {"to": {}}])
def test_bound_value_inside_something_else_is_refused_by_the_plan(manager_of: MakeManager, value: Any) -> None:
    manager = manager_of(written({"type": "object", "properties": {"options": {}}}, "options.to"))
    with pytest.raises(InvalidArgumentsError):
        asyncio.run(refused(manager.plan("t", {"options": value})))


def test_too_many_bound_values_are_refused(manager_of: MakeManager) -> None:
    manager = manager_of(written({"type": "object", "properties": {"paths": {}}}, "paths"))
    with pytest.raises(InvalidArgumentsError, match="more than 1000"):
        asyncio.run(refused(manager.plan("t", {"paths": ["a"] * 1001})))


def test_default_of_a_bound_argument_is_checked_and_used(manager_of: MakeManager, call: Callable[..., Any]) -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string", "default": "notes"}}}
    assert texts(manager_of(written(schema, "path")), {}) == ["notes"]
    assert call(written(schema, "path"), "t").structured == {"path": "notes"}


def test_default_of_a_bound_typed_argument_is_checked_and_used(call: Callable[..., Any]) -> None:
    module = Module("m")

    @module.tool
    async def t(
        source: Annotated[Path, Reads()] = Path("notes"),
        more: Annotated[list[Path] | None, Reads()] = None,
        target: Annotated[str, Writes()] = "out",
    ) -> str:
        return f"{source} {more} {target}"

    assert call(module, "t").content[0]["text"] == "/root-of-client/notes None out"
    operation = ToolManager(catalog=_catalog(module)).plan("t", {})
    assert [(need.permission.type, need.text) for need in operation.needs] == [
        (PermissionType.FILE_READ, "notes"),
        (PermissionType.FILE_WRITE, "out"),
    ]
    given = call(module, "t", source="./a", more=["b"])
    assert given.content[0]["text"] == "/root-of-client/a [PosixPath('/root-of-client/b')] out"


def _catalog(module: Module) -> Any:
    from mcp_server.tools.catalog import Catalog

    catalog = Catalog()
    catalog.register(module)
    return catalog


def test_sync_handler_leaves_the_loop(call: Callable[..., Any], context: Any) -> None:
    module = Module("m")

    @module.tool
    def typed(a: int) -> int:
        return a + 1

    module.register_tool(
        name="written", description="d", input_schema={"type": "object"}, handler=lambda client, params: "w"
    )
    assert call(module, "typed", a=1).content == ({"type": "text", "text": "2"},)
    assert len(context.in_thread) == 1


def test_plain_function_that_returns_a_coroutine_is_awaited(call: Callable[..., Any]) -> None:
    module = Module("m")
    module.register_tool(name="t", description="d", input_schema={"type": "object"}, handler=lambda c, p: handle(c, p))
    assert call(module, "t").structured == {}


def test_handler_gets_a_copy_of_its_own(manager_of: MakeManager, context: Any) -> None:
    async def spoil(client: Any, params: dict[str, Any]) -> None:
        params.clear()

    module = Module("m")
    module.register_tool(
        name="t", description="d", input_schema={"type": "object", "properties": {"a": {}}}, handler=spoil
    )
    operation = manager_of(module).plan("t", {"a": 1})

    async def run() -> None:
        await operation.execute(context)

    asyncio.run(run())
    assert operation.arguments == {"a": 1}
