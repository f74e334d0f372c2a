"""What is registered, found, started and stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.tools.catalog import Catalog, module_in
from mcp_server.tools.module import Module
from mcp_server.tools.tool_manager import ToolManager

SCHEMA = {"type": "object", "properties": {}}


async def handle(client: Any, params: Any) -> str:
    return "done"


def bundle(name: str, *tools: str) -> Module:
    module = Module(name)
    for tool in tools:
        module.register_tool(name=tool, description="d", input_schema=SCHEMA, handler=handle)
    return module


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """Writes a Python module and returns its dotted name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written: list[str] = []

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_unknown_name_is_unknown() -> None:
    with pytest.raises(UnknownNameError, match="unknown tool: 'rm'"):
        Catalog().tool("rm")


def test_name_taken_by_another_module_is_refused_and_leaves_nothing_behind() -> None:
    catalog = Catalog()
    catalog.register(bundle("a", "x"))
    with pytest.raises(ConfigurationError, match="module 'a' already"):
        catalog.register(bundle("b", "y", "x"))
    assert [tool.name for tool in catalog.tools()] == ["x"]
    with pytest.raises(UnknownNameError):
        catalog.tool("y")


def test_module_registered_twice_is_refused() -> None:
    catalog, module = Catalog(), bundle("a")
    catalog.register(module)
    with pytest.raises(ConfigurationError, match="registered already"):
        catalog.register(module)


def test_name_taken_is_refused_for_later_additions_too() -> None:
    catalog, late = Catalog(), bundle("b")
    catalog.register(bundle("a", "x"))
    catalog.register(late)
    with pytest.raises(ConfigurationError, match="module 'a' already"):
        late.register_tool(name="x", description="d", input_schema=SCHEMA, handler=handle)
    assert late.tools == {}


def test_list_is_by_module_and_then_by_registration() -> None:
    catalog, first = Catalog(), bundle("z", "c", "a")
    catalog.register(first)
    catalog.register(bundle("a", "b"))
    first.register_tool(name="late", description="d", input_schema=SCHEMA, handler=handle)
    assert [tool.name for tool in ToolManager(catalog=catalog).visible(lambda tool: True)] == ["c", "a", "late", "b"]
    assert [tool.name for tool in ToolManager(catalog=catalog).visible(lambda tool: tool.name < "c")] == ["a", "b"]


def test_epoch_grows_per_kind() -> None:
    catalog = Catalog()
    before = catalog.epoch("prompts")
    catalog.register(bundle("a", "x"))
    assert catalog.epoch("tools") > 0
    assert catalog.epoch("prompts") == before


def test_lazy_module_is_imported_when_something_is_asked_for(package: Callable[[str, str], str]) -> None:
    name = package(
        "lazy_notes",
        "from mcp_server.tools.module import Module\n"
        "notes = Module('notes')\n"
        "notes.register_tool(name='t', description='d', input_schema={'type': 'object'})\n"
        "async def handle_t(client, params): return 'x'\n",
    )
    catalog = Catalog()
    catalog.register(name)
    catalog.register(bundle("other", "o"))
    assert name not in sys.modules
    assert [tool.name for tool in catalog.tools()] == ["t", "o"]
    assert name in sys.modules


def test_lazy_module_that_does_not_exist_is_refused_at_once() -> None:
    for name in ("no_such_module_here", "no_such_package.here", "not a name", ""):
        with pytest.raises(ConfigurationError, match="there is no Python module"):
            Catalog().register(name)


def test_lazy_module_that_fails_is_told_by_bind_and_does_not_hide_the_others(
    package: Callable[[str, str], str], caplog: pytest.LogCaptureFixture
) -> None:
    name = package("lazy_broken", "raise RuntimeError('boom')\n")
    catalog = Catalog()
    catalog.register(name)
    with pytest.raises(ConfigurationError, match="cannot be imported"):
        catalog.bind()
    quiet = Catalog()
    quiet.register(name)
    quiet.register(bundle("other", "o"))
    assert [tool.name for tool in quiet.tools()] == ["o"]
    assert "not served" in caplog.text


def test_python_module_must_hold_exactly_one() -> None:
    python_module = ModuleType("held")
    with pytest.raises(ConfigurationError, match="it holds none"):
        module_in(python_module)
    python_module.__dict__["one"] = one = Module("one")
    python_module.__dict__["alias"] = one
    assert module_in(python_module) is one
    python_module.__dict__["two"] = Module("two")
    with pytest.raises(ConfigurationError, match="'one', 'two'"):
        module_in(python_module)
    with pytest.raises(ConfigurationError, match="not int"):
        module_in(3)


def lifelike(name: str, heard: list[str], *, fails: bool = False) -> Module:
    module = bundle(name, f"tool_{name}")

    @module.on_start
    async def begin() -> None:
        if fails:
            raise RuntimeError("boom")
        heard.append(f"+{name}")

    @module.on_stop
    async def end() -> None:
        heard.append(f"-{name}")

    return module


def test_modules_start_in_order_and_stop_in_reverse() -> None:
    heard: list[str] = []

    async def life() -> None:
        catalog = Catalog()
        catalog.register(lifelike("a", heard))
        catalog.register(lifelike("b", heard))
        assert not catalog.is_ready
        await catalog.start()
        assert catalog.is_ready
        await catalog.stop()

    asyncio.run(life())
    assert heard == ["+a", "+b", "-b", "-a"]


def test_call_after_the_stop_wakes_nothing_up(context: Any) -> None:
    heard: list[str] = []

    async def life() -> None:
        catalog = Catalog()
        catalog.register(lifelike("a", heard))
        await catalog.start()
        await catalog.stop()
        operation = ToolManager(catalog=catalog).plan("tool_a", {})
        with pytest.raises(ResourceUnavailableError):
            await operation.execute(context)
        await catalog.start()
        await operation.execute(context)

    asyncio.run(life())
    assert heard == ["+a", "-a", "+a"]


def test_hook_after_the_registration_is_refused() -> None:
    module = bundle("a")
    Catalog().register(module)
    with pytest.raises(ConfigurationError, match="before a server registers"):
        module.on_start(print)


def test_failed_start_stops_what_runs() -> None:
    heard: list[str] = []

    async def life() -> None:
        catalog = Catalog()
        catalog.register(lifelike("a", heard))
        catalog.register(lifelike("b", heard, fails=True))
        await catalog.start()

    with pytest.raises(ConfigurationError, match="module 'b' failed to start"):
        asyncio.run(life())
    assert heard == ["+a", "-a"]


def test_start_and_stop_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    module = bundle("slow")

    @module.on_start
    async def begin() -> None:
        await asyncio.Event().wait()

    stuck = bundle("stuck")

    @stuck.on_stop
    async def end() -> None:
        await asyncio.Event().wait()

    async def life() -> None:
        catalog = Catalog(start_timeout_seconds=0.01, stop_timeout_seconds=0.01)
        catalog.register(stuck)
        catalog.register(module)
        await catalog.start()

    with pytest.raises(ConfigurationError, match="took longer than"):
        asyncio.run(life())
    assert "took longer than 0.01 s to stop" in caplog.text


def test_module_that_was_never_started_is_started_before_its_first_call(context: Any) -> None:
    heard: list[str] = []
    catalog = Catalog()
    catalog.register(lifelike("a", heard))
    manager = ToolManager(catalog=catalog)

    async def two_calls() -> list[Any]:
        calls = (manager.plan("tool_a", {}).execute(context) for _ in range(2))
        return list(await asyncio.gather(*calls))

    assert [result.content[0]["text"] for result in asyncio.run(two_calls())] == ["done", "done"]
    assert heard == ["+a"]


def test_update_from_a_thread_arrives_on_the_loop() -> None:
    heard: list[tuple[str, str | None]] = []
    module = bundle("a")

    async def life() -> None:
        catalog = Catalog()
        catalog.register(module)
        catalog.subscribe(lambda kind, uri: heard.append((kind, uri)))
        await catalog.start()
        await asyncio.to_thread(module.resource_updated, "note:///a")
        await asyncio.sleep(0)

    asyncio.run(life())
    assert heard == [("resources", "note:///a")]


def test_check_builds_everything() -> None:
    module = Module("m")
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": "x"}}}
    module.register_tool(name="t", description="d", input_schema=schema, handler=handle)
    catalog = Catalog()
    catalog.register(module)
    with pytest.raises(ConfigurationError, match="not valid JSON Schema"):
        catalog.check()
