from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mcp_server.client.memory_client import MemoryClient
from mcp_server.core import mcp_server
from mcp_server.core.constants import KEPT_BLOCK_BYTES
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.kernel.mallopt import Mallopt
from mcp_server.tools.module import Module
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason

ENVELOPE = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
CALL_LEAVE = (
    json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "leave", "_meta": ENVELOPE}}
    ).encode()
    + b"\n"
)


def ask(server: MCPServer, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    async def work() -> dict[str, Any]:
        lifecycle = server.lifecycle()
        await lifecycle.open()
        client = MemoryClient(handler=lifecycle.protocol.handler, profile=server.config.client)
        try:
            return await client.request(method, params)
        finally:
            await client.close()
            await lifecycle.close("test ended")

    return asyncio.run(work())


def test_a_small_server_needs_no_module(tmp_path: Path) -> None:
    server = MCPServer("hello", state=tmp_path / "state", title="Hello", instructions="Say hello.", version="2")

    @server.tool
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.prompt
    async def greet(name: str) -> str:
        """Greet."""
        return f"Greet {name}."

    @server.resource("hello://world")
    async def world() -> str:
        """The world."""
        return "hello"

    discovered = ask(server, "server/discover")
    assert discovered["instructions"] == "Say hello."
    result = ask(server, "tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}})
    assert result["content"][0]["text"] == "3"
    assert ask(server, "prompts/list")["prompts"][0]["name"] == "greet"
    assert ask(server, "resources/read", {"uri": "hello://world"})["contents"][0]["text"] == "hello"


def test_modules_come_as_values_as_python_modules_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "by_dotted_name.py").write_text(
        "from mcp_server import Module\nmodule = Module('named')\n@module.tool\nasync def third() -> str:\n"
        "    'Third.'\n    return 'x'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    first, second = Module("first_module"), Module("second_module")

    async def handler(client: Any, params: dict[str, Any]) -> str:
        return "x"

    for module, name in ((first, "first"), (second, "second")):
        module.register_tool(name=name, description=name, input_schema={"type": "object"}, handler=handler)
    python_module = ModuleType("a_python_module")
    python_module.second = second  # type: ignore[attr-defined]
    server = MCPServer("three", state=tmp_path / "state")
    server.register_module(first)
    server.register_module(python_module)
    server.register_module("by_dotted_name")
    assert "by_dotted_name" not in sys.modules
    assert [each["name"] for each in ask(server, "tools/list")["tools"]] == ["first", "second", "third"]


def test_a_name_that_is_taken_is_refused_at_registration(tmp_path: Path) -> None:
    server = MCPServer("hello", state=tmp_path / "state")
    server.register_module(Module("notes"))
    with pytest.raises(ConfigurationError, match="notes"):
        server.register_module(Module("notes"))
    with pytest.raises(ConfigurationError):
        server.register_module("no.such.module")


def test_a_bad_policy_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        MCPServer("hello", policy=tmp_path / "nowhere.toml")
    with pytest.raises(ConfigurationError, match="does not exist"):
        MCPServer("hello", folders=[tmp_path / "nowhere"])


def test_a_terminal_is_told_how_to_try_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    primary, secondary = os.openpty()
    kept = os.dup(0)
    os.dup2(secondary, 0)
    try:
        with pytest.raises(ConfigurationError, match="mcp-server call"):
            MCPServer("hello", state=tmp_path / "state").run()
    finally:
        os.dup2(kept, 0)
        for descriptor in (primary, secondary, kept):
            os.close(descriptor)


@pytest.mark.parametrize("lines", [b"", b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'])
def test_served_pipes_are_closed_at_the_end_of_input(tmp_path: Path, lines: bytes) -> None:
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    os.write(in_write, lines)
    os.close(in_write)
    server = MCPServer("hello", state=tmp_path / "state")
    assert server.run_stdio(StdioStreams(in_read, out_write)) is StopReason.END_OF_INPUT
    with os.fdopen(out_read, "rb") as answers:
        assert answers.read() == (b'{"jsonrpc":"2.0","id":1,"result":{}}\n' if lines else b"")
    for descriptor in (in_read, out_write):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@pytest.mark.parametrize("is_kept", [True, False])
def test_memory_is_kept_unless_the_operator_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(mcp_server, "KEEP_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(Mallopt, "keep", lambda self, *, block_bytes, idle_bytes: asked.append(block_bytes))
    if not is_kept:
        monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
    in_read, in_write = os.pipe()
    server = MCPServer("hello", state=tmp_path / "state")

    @server.tool
    async def leave() -> str:
        """Leave."""
        os.close(in_write)
        return "gone"

    # The answer to a call comes after a turn of the loop, in which the memory is asked for.
    os.write(in_write, CALL_LEAVE)
    out_read, out_write = os.pipe()
    server.run_stdio(StdioStreams(in_read, out_write))
    os.close(out_read)
    assert (asked == [KEPT_BLOCK_BYTES]) is is_kept


def test_pipes_are_closed_even_if_the_server_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    streams = StdioStreams(*os.pipe())
    with pytest.raises(ConfigurationError):
        MCPServer("hello", state=tmp_path / "state").run_stdio(streams)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(streams.read_fd)


def test_a_script_serves_its_own_standard_pipes(tmp_path: Path, checkout: Path) -> None:
    program = (
        "from mcp_server import MCPServer\n"
        f"server = MCPServer('hello', state={str(tmp_path / 'state')!r})\n"
        "print(server.run(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b'{"jsonrpc":"2.0","id":"a","method":"ping"}\n',
        capture_output=True,
        check=True,
        cwd=checkout,
        timeout=60,
    )
    assert done.stdout == b'{"jsonrpc":"2.0","id":"a","result":{}}\n'
    assert b"end of input" in done.stderr
