"""The examples do what they say: in memory as their authors would test them, and as a client would start them."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mcp_server.testing import ModuleClient, client_for

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
HANDSHAKE = [
    {
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    },
    {"method": "notifications/initialized"},
]


@pytest.fixture
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    name = f"example_{request.param}"
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{request.param}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, name, module)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "Notes"
    folder.mkdir()
    (folder / "a.md").write_text("# Shopping\n\n## Eggs\n\nThe eggs, the flour.\n")
    (folder / "b.txt").write_text("one two Two three\n")
    (folder / "c.csv").write_text("1,2\n")
    return folder


@pytest.mark.parametrize("example", ["word_count"], indirect=True)
def test_the_explicit_form(example: ModuleType, notes: Path) -> None:
    async def use() -> None:
        async with client_for(example, folder=notes, allow=["FILE_READ *.txt", "FILE_READ *.csv"]) as client:
            assert await client.call("count_words", path="b.txt") == {"words": 4}
            assert await client.call("count_words", path="b.txt", word="two") == {"words": 2}
            assert "choose one of these" in (await client.result("count_words", path="c.csv"))["content"][0]["text"]
            assert (await client.denied("count_words", path="a.md")).permission == "FILE_READ"
            assert (await client.denied("count_words", path="../b.txt")).code == 4032

    asyncio.run(use())


@pytest.mark.parametrize("example", ["notebook"], indirect=True)
def test_the_typed_form(example: ModuleType, notes: Path) -> None:
    async def use() -> None:
        grants = ["FILE_READ **", "FILE_WRITE a.md", "DIRECTORY_LIST **"]
        async with client_for(example, folder=notes, allow=grants) as client:
            assert await client.call("outline", note="a.md") == {"title": "Shopping", "headings": ["Eggs"]}
            result = await client.result("append", note="a.md", text="And milk.")
            assert [block["type"] for block in result["content"]] == ["text", "resource_link"]
            read = await client.request("resources/read", {"uri": result["content"][1]["uri"]})
            assert read["contents"][0]["text"].endswith("The eggs, the flour.\n\nAnd milk.\n")
            assert list(await client.call("titles", folder=".")) == ["a.md"]
            assert (await client.denied("outline", note="b.txt")).permission == "FILE_READ"
            prompt = await client.request("prompts/get", {"name": "weekly", "arguments": {"week": "7"}})
            assert "week 7" in prompt["messages"][0]["content"]["text"]

    asyncio.run(use())


@pytest.mark.parametrize("example", ["notebook"], indirect=True)
@pytest.mark.parametrize("agrees", [True, False])
def test_the_human_decides_about_a_long_note(example: ModuleType, notes: Path, agrees: bool) -> None:
    (notes / "a.md").write_text("x" * 100_001)

    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"action": "accept", "content": {"append": agrees}}

    async def use() -> None:
        async with client_for(example, folder=notes, allow=["FILE_READ **", "FILE_WRITE **"], answer=answer) as client:
            await appended(client)

    async def appended(client: ModuleClient) -> None:
        result = await client.result("append", note="a.md", text="more")
        assert result.get("isError", False) is not agrees
        assert (notes / "a.md").read_text().endswith("more\n") is agrees

    asyncio.run(use())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_module", [False, True])
def test_a_client_can_start_it(name: str, is_module: bool, notes: Path) -> None:
    program = ["-m", "mcp_server", "serve", "--folder", str(notes), "--module", name]
    command = [sys.executable, *(program if is_module else [str(EXAMPLES / f"{name}.py"), str(notes)])]
    path = os.pathsep.join([str(EXAMPLES), *(each for each in sys.path if each)])
    messages = [*HANDSHAKE, {"id": 2, "method": "tools/list"}]
    lines = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = {message.get("id"): message for message in map(json.loads, done.stdout.splitlines())}
    tools = {tool["name"] for tool in answers[2]["result"]["tools"]}
    assert tools >= ({"count_words"} if name == "word_count" else {"outline", "append", "titles"})
    assert ("read_text_file" in tools) is is_module
