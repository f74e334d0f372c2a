"""Registration: both forms, the search for handlers, and what is refused."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.markers.needs import Needs
from mcp_server.tools.markers.plain import Plain
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.tool_annotations import ToolAnnotations

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = Permission(PermissionType.FILE_READ, "*.txt", argument="path")


async def handle_found_in_file(client: ClientContext, params: dict[str, Any]) -> str:
    return "file " + str(params["text"])


async def handle(client: Any, params: dict[str, Any]) -> dict[str, Any]:
    return dict(params)


class Desk(Module):
    def __init__(self) -> None:
        super().__init__("desk")
        self.register_tool(name="found-in-class", description="d", input_schema=TEXT)
        self.register_tool(name="found_in_file", description="d", input_schema=TEXT)

    async def handle_found_in_class(self, client: Any, params: dict[str, Any]) -> str:
        return "class " + str(params["text"])


def test_handler_is_the_method_and_else_the_function_of_the_file(call: Callable[..., Any]) -> None:
    assert call(Desk(), "found-in-class", text="a").content[0]["text"] == "class a"
    assert call(Desk(), "found_in_file", text="a").content[0]["text"] == "file a"


def test_explicit_handler_wins(call: Callable[..., Any]) -> None:
    module = Module("m")
    module.register_tool(name="found_in_file", description="d", input_schema=TEXT, handler=handle)
    assert call(module, "found_in_file", text="a").structured == {"text": "a"}


def test_handler_defined_after_the_registration_is_found_later() -> None:
    module = Module("m")
    module.register_tool(name="late", description="d", input_schema=TEXT)
    globals()["handle_late"] = handle
    try:
        module.lower()
    finally:
        del globals()["handle_late"]
    assert module.tools["late"].handler is handle


def test_missing_handler_is_refused_with_the_line_to_write() -> None:
    module = Module("m")
    module.register_tool(name="count-words", description="d", input_schema=TEXT)
    with pytest.raises(ConfigurationError, match="async def handle_count_words\\(client: ClientContext, params: dict"):
        Catalog().register(module)


def test_the_seed_form_of_the_architecture_is_accepted(call: Callable[..., Any]) -> None:
    notes = Module("notes")
    notes.register_tool(
        name="count_words",
        description="Count the words of a note.",
        input_schema=PATH,
        permissions=[Permission(PermissionType.FILE_READ, "*.txt", argument="path")],
        handler=handle,
    )
    assert call(notes, "count_words", path="a.txt").structured == {"path": "a.txt"}
    assert notes.tools["count_words"].input_schema is PATH


def test_the_typed_form_of_the_architecture_is_accepted(call: Callable[..., Any]) -> None:
    notes = Module("notes")

    @notes.tool
    async def first_lines(source: Annotated[Path, Reads("**/*.md")], client: ClientContext, lines: int = 5) -> str:
        "Return the first lines of a note."
        return f"{source} {lines}"

    assert call(notes, "first_lines", source="a.md").content[0]["text"] == "/root-of-client/a.md 5"
    tool = notes.tools["first_lines"]
    assert tool.description == "Return the first lines of a note."
    assert tool.permissions == (Permission(PermissionType.FILE_READ, "**/*.md", argument="source"),)


def test_decorator_takes_options_with_parentheses() -> None:
    module = Module("m", tags=["all"])

    @module.tool(name="other", title="T", tags=["a"], timeout_seconds=2.5, annotations={"readOnlyHint": True})
    def original(a: int) -> int:
        return a

    module.lower()
    tool = module.tools["other"]
    assert (tool.title, tool.tags, tool.timeout_seconds, tool.has_effects) == ("T", {"a", "all"}, 2.5, False)
    assert original(3) == 3


@pytest.mark.parametrize("name", ["", "a.b", "a b", "é", "x" * 65, "a/b"])
def test_tool_name_that_some_client_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a name is 1 to 64"):
        Module("m").register_tool(name=name, description="d", input_schema=TEXT, handler=handle)


def test_module_name_is_checked() -> None:
    with pytest.raises(ConfigurationError, match="module"):
        Module("a b")


def test_name_registered_twice_in_one_module_is_refused() -> None:
    module = Module("m")
    module.register_tool(name="a", description="d", input_schema=TEXT, handler=handle)
    with pytest.raises(ConfigurationError, match="twice"):
        module.register_tool(name="a", description="d", input_schema=TEXT, handler=handle)


@pytest.mark.parametrize("name", ["path", "file_name", "targetDir", "url", "base-url", "host", "command", "source"])
def test_parameter_that_looks_like_a_resource_needs_a_bound_permission(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    with pytest.raises(ConfigurationError, match="looks like a path, an address or a command"):
        Module("m").register_tool(name="t", description="d", input_schema=schema, handler=handle)
    bound = Module("m")
    permission = Permission(PermissionType.FILE_READ, argument=name)
    bound.register_tool(name="t", description="d", input_schema=schema, handler=handle, permissions=[permission])
    plain = Module("m")
    plain.register_tool(name="t", description="d", input_schema=schema, handler=handle, plain=[name])
    bound.lower()
    plain.lower()
    assert "t" in bound.tools
    assert "t" in plain.tools


def test_unbound_permission_does_not_guard_a_path() -> None:
    with pytest.raises(ConfigurationError, match="argument='path'"):
        Module("m").register_tool(
            name="t",
            description="d",
            input_schema=PATH,
            handler=handle,
            permissions=[Permission(PermissionType.FILE_READ, "*.txt")],
        )


def test_format_and_nested_names_are_looked_at() -> None:
    schema = {
        "type": "object",
        "properties": {
            "link": {"type": "string", "format": "uri"},
            "edits": {"type": "array", "items": {"type": "object", "properties": {"path": {"type": "string"}}}},
        },
    }
    with pytest.raises(ConfigurationError, match="'link'"):
        Module("m").register_tool(name="t", description="d", input_schema=schema, handler=handle)
    with pytest.raises(ConfigurationError, match=r"'edits\.path'"):
        Module("m").register_tool(name="t", description="d", input_schema=schema, handler=handle, plain=["link"])


def test_typed_path_needs_a_permission_whatever_its_name() -> None:
    with pytest.raises(ConfigurationError, match="'note'"):

        @Module("m").tool
        def t(note: Path) -> str:
            return ""


def test_typed_text_is_plain_when_it_says_so() -> None:
    module = Module("m")

    @module.tool
    def t(source: Annotated[str, Plain()], host: Annotated[str, Needs(PermissionType.NETWORK_CONNECT, "*:443")]) -> str:
        return ""

    @module.tool(plain=["url"])
    def u(url: str) -> str:
        return ""

    module.lower()
    assert set(module.tools) == {"t", "u"}


def test_permission_bound_to_no_argument_is_refused_with_a_guess() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'path'"):
        Module("m").register_tool(
            name="t",
            description="d",
            input_schema=PATH,
            handler=handle,
            permissions=[READ, Permission(PermissionType.FILE_READ, argument="pth")],
        )


def test_read_only_tool_that_declares_writing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="read-only"):
        Module("m").register_tool(
            name="t",
            description="d",
            input_schema=PATH,
            handler=handle,
            permissions=[Permission(PermissionType.FILE_WRITE, argument="path")],
            annotations=ToolAnnotations(read_only=True),
        )


def test_time_limit_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match="timeout_seconds"):
        Module("m").register_tool(name="t", description="d", input_schema=TEXT, handler=handle, timeout_seconds=0)


def test_type_that_only_the_function_knows_is_refused_clearly() -> None:
    module = Module("m")
    local = type("Local", (), {})

    def t(a: Unknown) -> str:  # type: ignore[name-defined]  # noqa: F821
        return str(local)

    module.tool(t)
    with pytest.raises(ConfigurationError, match="looked up at the top of the handler's file"):
        module.lower()


def test_type_defined_after_the_decorator_is_found_later() -> None:
    module = Module("m")

    @module.tool
    def t(a: Later) -> str:  # noqa: F821
        return str(a)

    globals()["Later"] = int
    try:
        module.lower()
    finally:
        del globals()["Later"]
    assert "t" in module.tools


def test_plain_class_as_a_parameter_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be read from JSON"):
        Module("m").tool(_takes_module)


def _takes_module(a: Module) -> str:
    return ""


def test_parameters_that_names_cannot_fill_are_refused() -> None:
    def star(*words: str) -> str:
        return ""

    def untyped(a) -> str:  # type: ignore[no-untyped-def]
        return ""

    def yields(a: int):  # type: ignore[no-untyped-def]
        yield a

    for function, words in ((star, "by name"), (untyped, "say the type"), (yields, "yield")):
        with pytest.raises(ConfigurationError, match=words):
            Module("m").tool(function)


def test_client_parameter_is_told_by_type_and_by_name(call: Callable[..., Any], context: Any) -> None:
    module = Module("m")

    @module.tool
    async def by_type(who: ClientContext) -> bool:
        return who is context

    @module.tool
    async def by_name(client) -> bool:  # type: ignore[no-untyped-def]
        return client is context

    assert call(module, "by_type").content[0]["text"] == "true"


def test_tool_added_later_is_served_and_told() -> None:
    module, catalog, heard = Module("m"), Catalog(), []
    catalog.register(module)
    catalog.subscribe(lambda kind, uri: heard.append((kind, uri)))
    module.register_tool(name="late", description="d", input_schema=TEXT, handler=handle)
    assert catalog.tool("late").module == "m"
    module.remove_tool("late")
    assert catalog.tools() == ()
    assert heard == [("tools", None), ("tools", None)]


def test_hooks_run_in_order_and_back() -> None:
    module, heard = Module("m"), []

    @module.on_start
    async def first() -> None:
        heard.append("first")

    @module.on_start
    def second() -> None:
        heard.append("second")

    @module.on_stop
    def broken() -> None:
        heard.append("broken")

    @module.on_stop
    def failing() -> None:
        raise RuntimeError

    async def life() -> None:
        await module.start()
        await module.stop()

    asyncio.run(life())
    assert heard == ["first", "second", "broken"]


def test_resource_with_the_wrong_parameters_is_refused() -> None:
    def note(name: str) -> str:
        return name

    with pytest.raises(ConfigurationError, match="are not the variables"):
        Module("m").resource("note://{other}")(note)
    with pytest.raises(ConfigurationError, match="a URI with a scheme"):
        Module("m").resource("no uri")(note)


def test_prompt_parameter_must_be_text() -> None:
    with pytest.raises(ConfigurationError, match="must be a str"):

        @Module("m").prompt
        def p(n: int) -> str:
            return ""


def test_completion_takes_one_or_two_parameters() -> None:
    with pytest.raises(ConfigurationError, match="the text so far"):

        @Module("m").completion("p", "a")
        def none() -> list[str]:
            return []


def test_python_module_that_made_the_module_is_known() -> None:
    assert Module("m").defined_in == __name__
    assert Desk().defined_in == __name__
    assert isinstance(sys.modules[__name__], ModuleType)
