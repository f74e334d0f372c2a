"""A program that is a server of its own, and its handlers in processes of their own."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stdio.raw_server import RawServer, server_environment
from tests.support.sandboxes import sandbox_table

PROGRAM = '''
"""A server in one file, with a policy that only the server can read."""

from mcp_server import MCPServer
from beside import shout

server = MCPServer("program", policy={policy!r}, state={state!r})
calls = 0


@server.tool
async def count() -> str:
    "Count the calls that this process has seen."
    global calls
    calls += 1
    print("noise of a handler")
    return f"{{calls}} {{__name__}}"


@server.tool
async def loud(text: str) -> str:
    "Shout."
    return shout(text)


{guard}server.run()
'''


class Home:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.code = directory / "code"
        self.code.mkdir()
        (self.code / "lib").mkdir()
        (self.code / "lib" / "beside.py").write_text("def shout(text):\n    return text.upper()\n", encoding="utf-8")

    def start(
        self, *, guard: str = 'if __name__ == "__main__":\n    ', code: tuple[str, ...] = ("code/lib",)
    ) -> RawServer:
        policy = self.directory / "policy.toml"
        sandbox = "\n".join(f"{name} = {json.dumps(value)}" for name, value in sandbox_table(self.directory).items())
        policy.write_text(
            "version = 1\n[client.local]\nisolation = 'process'\n"
            f"[module.program]\ncode = {json.dumps(list(code))}\n[sandbox]\n{sandbox}\n",
            encoding="utf-8",
        )
        policy.chmod(0o600)
        program = self.code / "program.py"
        text = PROGRAM.format(policy=str(policy), state=str(self.directory / "state"), guard=guard)
        program.write_text(text, encoding="utf-8")
        return RawServer(
            self.directory,
            command=[sys.executable, str(program)],
            environment=server_environment(self.code / "lib"),
        )


@pytest.fixture
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as directory:
        Path(directory).chmod(0o755)
        yield Home(Path(directory))


def called(server: RawServer, name: str, **arguments: Any) -> dict[str, Any]:
    return server.result("tools/call", {"name": name, "arguments": arguments})


def words(result: dict[str, Any]) -> str:
    text: str = result["content"][0]["text"]
    return text


def test_the_handlers_of_a_program_run_apart(home: Home) -> None:
    with home.start() as server:
        server.initialize()
        for _ in range(2):
            assert words(called(server, "count")) == "1 __mp_main__"
        # What lies beside it is there because the policy names it.
        assert words(called(server, "loud", text="hello")) == "HELLO"
        server.close_input()
        assert server.wait() == 0


def test_code_that_the_policy_does_not_name_is_not_there(home: Home) -> None:
    with home.start(code=()) as server:
        server.initialize()
        result = called(server, "loud", text="hello")
        assert result["isError"]
        assert "beside" not in json.dumps(result)
        assert "No module named 'beside'" in server.stderr().replace(
            "No module named beside", "No module named 'beside'"
        )


def test_a_program_that_serves_when_it_is_imported_is_told_what_to_write(home: Home) -> None:
    with home.start(guard="") as server:
        server.initialize()
        assert called(server, "count")["isError"]
        assert "above the line that runs the server" in server.stderr()
