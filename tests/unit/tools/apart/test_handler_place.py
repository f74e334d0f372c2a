"""Where a process of its own finds code."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any, Literal

import pytest

import mcp_server
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.apart.handler_place import HandlerPlace, executes, place_of
from mcp_server.tools.module import Module
from mcp_server.tools.modules.filesystem_module import FilesystemModule


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what writes a Python module and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str) -> Path:
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
        __import__(name)
        for each in [each for each in sys.modules if each.split(".")[0] == name.split(".", maxsplit=1)[0]]:
            monkeypatch.setitem(sys.modules, each, sys.modules[each])
        return path.resolve()

    return write


def test_a_single_file_is_all_there_is_of_its_directory(written: Any) -> None:
    path = written("alone_in_a_file")
    place = HandlerPlace("m", "alone_in_a_file")
    assert place.file == str(path)
    assert str(path) in place.code
    assert str(path.parent) not in place.code
    assert str(path.parent) in place.search_path


def test_of_a_package_all_of_it_is_there_and_nothing_beside(written: Any) -> None:
    path = written("whole_package.inner.handlers")
    place = HandlerPlace("m", "whole_package.inner.handlers")
    assert str(path.parents[1]) in place.code
    assert str(path.parents[2]) not in place.code
    assert place.search_path[0] == str(path.parents[2])


def test_of_this_package_nothing_beside_it_is_there() -> None:
    home = Path(mcp_server.__file__).resolve().parent
    code = HandlerPlace("m", "json").code
    assert any(home == Path(each) or home.is_relative_to(each) for each in code)
    assert str(home.parent) not in code or str(home.parent).endswith("site-packages")


def test_nothing_is_named_twice() -> None:
    # Of a package that was imported.
    importlib.import_module("pydantic.main")
    code = [Path(each) for each in HandlerPlace("m", "pydantic.main").code]
    assert not [each for each in code if any(each != other and each.is_relative_to(other) for other in code)]


@pytest.mark.parametrize("file", [None, "<stdin>", "/nonexistent/x.py"])
def test_what_is_in_no_file_is_refused(file: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("typed_in")
    if file is not None:
        module.__file__ = file
    monkeypatch.setitem(sys.modules, "typed_in", module)
    with pytest.raises(ConfigurationError, match="write it into one"):
        _ = HandlerPlace("m", "typed_in").code


def test_what_ships_never_leaves_the_server() -> None:
    assert place_of(FilesystemModule(), None) is None
    assert place_of(Module("m"), "process") == HandlerPlace("m", __name__, "process")


def test_what_derives_from_what_ships_is_its_authors() -> None:
    class Own(FilesystemModule):
        """Files, and more."""

    assert place_of(Own(), None) is not None


def test_the_module_of_a_server_belongs_to_whoever_made_the_server(tmp_path: Path) -> None:
    server = MCPServer("own", state=tmp_path / "state")

    @server.tool
    async def nothing() -> None:
        """Do nothing."""

    server.own_module.lower()
    assert server.own_module.tools["nothing"].place == HandlerPlace("own", __name__)


at_the_top = Module("at_the_top")
EXECUTES = [Permission(PermissionType.CODE_EXECUTION, "python")]


def registered(module: Module, **options: Any) -> None:
    async def handle(client: Any, params: dict[str, Any]) -> None:
        """Do nothing."""

    schema = {"type": "object", "properties": {}}
    module.register_tool(name="tool", description="x", input_schema=schema, handler=handle, **options)
    module.lower()


@pytest.mark.parametrize("isolation", [None, "process"])
def test_what_no_process_would_find_is_refused_when_it_is_registered(isolation: Any) -> None:
    with pytest.raises(ConfigurationError, match="in one at the top of that file"):
        registered(Module("in_a_function", isolation=isolation), permissions=EXECUTES)


def test_what_is_at_the_top_of_its_file_is_found() -> None:
    registered(at_the_top, permissions=EXECUTES)
    assert at_the_top.tools["tool"].place is not None


@pytest.mark.parametrize(("isolation", "permissions"), [("inline", EXECUTES), (None, [])])
def test_what_stays_inline_may_be_anywhere(isolation: Any, permissions: list[Permission]) -> None:
    module = Module("in_a_function", isolation=isolation)
    registered(module, permissions=permissions)
    assert module.tools["tool"].permissions == tuple(permissions)


# Who runs apart.

Where = Literal["inline", "process"] | None


class Context:
    def __init__(self, where: Where) -> None:
        self._where = where
        self.isolates = where == "process"

    def module_policy(self, module: str) -> ModulePolicy:
        return ModulePolicy(self._where)


@pytest.mark.parametrize(
    "declared", [PermissionType.FILE_READ, PermissionType.CODE_EXECUTION, PermissionType.SYSTEM_COMMAND]
)
@pytest.mark.parametrize("author", [None, "inline", "process"])
@pytest.mark.parametrize("operator", [None, "inline", "process"])
def test_the_operator_comes_first_then_the_author_then_what_is_declared(
    operator: Where, author: Where, declared: PermissionType
) -> None:
    context: Any = Context(operator)
    found = HandlerPlace("m", "p", author, executes((Permission(declared, "**"),))).runs_apart(context)
    default = "inline" if declared is PermissionType.FILE_READ else "process"
    assert found is ((operator or author or default) == "process")
