from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.client.memory_client import MODERN
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.testing import client_for
from mcp_server.tools.markers.writes import Writes
from mcp_server.tools.module import Module

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN]


async def handle_count_words(client: ClientContext, params: dict[str, Any]) -> dict[str, Any]:
    return {"words": len((await client.files.read_text(params["path"])).split())}


def notes() -> Module:
    module = Module("notes")
    module.register_tool(
        name="count_words",
        description="Count the words of a note.",
        input_schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        permissions=[Permission(PermissionType.FILE_READ, "*.txt", argument="path")],
        handler=handle_count_words,
    )

    @module.tool
    async def keep(target: Annotated[Path, Writes("kept/*.md")], client: ClientContext) -> str:
        """Keep something."""
        await client.files.write_text(target, "kept")
        return "done"

    @module.tool
    async def ask(client: ClientContext) -> str:
        """Ask."""
        answer = await client.ask("Name?", {"name": str})
        return str(answer["name"])

    return module


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two three")

    async def example() -> None:
        async with client_for(notes(), folder=tmp_path, allow=["FILE_READ *.txt"]) as client:
            assert await client.call("count_words", path="a.txt") == {"words": 3}
            refusal = await client.denied("count_words", path="../secret.txt")
            assert refusal.permission == "FILE_READ"
            assert client.audit[-1].decision == "deny"
            assert (refusal.code, refusal.missing) == (4032, (("FILE_READ", "../secret.txt"),))
            refusal = await client.denied("count_words", path="a.md")
            assert refusal.permission == "FILE_READ"
            assert client.audit[-1].decision == "deny"
            assert client.audit[-1].tool == "count_words"

    asyncio.run(example())


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_can_be_spoken(tmp_path: Path, revision: str) -> None:
    (tmp_path / "a.txt").write_text("one two")

    async def example() -> None:
        async with client_for(notes(), folder=tmp_path, allow=["FILE_READ *.txt"], revision=revision) as client:
            result = await client.result("count_words", path="a.txt")
            assert '"words":2' in result["content"][0]["text"].replace(" ", "")

    asyncio.run(example())


@pytest.mark.parametrize("revision", ["2025-06-18", MODERN])
def test_questions_are_answered_by_the_test(tmp_path: Path, revision: str) -> None:
    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert method == "elicitation/create"
        content = {"name": "Ada"} if "name" in params["requestedSchema"]["properties"] else {"allow": True}
        return {"action": "accept", "content": content}

    async def example() -> None:
        os.mkdir(tmp_path / "kept")
        ask = ["FILE_WRITE kept/*"]
        async with client_for(notes(), folder=tmp_path, ask=ask, answer=answer, revision=revision) as client:
            assert await client.call("ask") == "Ada"
            assert await client.call("keep", target="kept/x.md") == "done"
            assert "consent.granted" in [each.kind for each in client.audit]

    asyncio.run(example())


def test_without_answers_the_client_says_that_it_can_answer_none(tmp_path: Path) -> None:
    async def example() -> None:
        async with client_for(notes(), folder=tmp_path, ask=["FILE_WRITE kept/*"]) as client:
            refusal = await client.denied("keep", target="kept/x.md")
            assert refusal.code == 4031
            with pytest.raises(ProtocolError, match="elicitation"):
                await client.result("ask")

    asyncio.run(example())


def test_denials_and_limits_are_those_of_a_policy_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")

    async def example() -> None:
        rules = {"allow": ["FILE_READ **"], "deny": ["FILE_READ a.txt"], "limits": {"calls_per_minute": 2}}
        async with client_for(notes(), folder=tmp_path, **rules) as client:  # type: ignore[arg-type]
            for _ in range(2):
                assert (await client.denied("count_words", path="a.txt")).code == 4030
            assert (await client.denied("count_words", path="a.txt")).code == 4290

    asyncio.run(example())


@pytest.mark.parametrize("rules", [{"allow": ["FILE_REED *"]}, {"limits": {"calls": 1}}, {"deny": ["FILE_READ ../x"]}])
def test_a_rule_that_is_none_is_told_at_once(tmp_path: Path, rules: dict[str, Any]) -> None:
    async def example() -> None:
        async with client_for(notes(), folder=tmp_path, **rules):
            raise AssertionError("must not open")

    with pytest.raises(ConfigurationError):
        asyncio.run(example())


@pytest.mark.parametrize("name", ["with space", 'quo"te', "back\\slash", "ünï", "new\nline"])
def test_a_folder_of_any_name_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.txt").write_text("one")

    async def example() -> None:
        async with client_for(notes(), folder=folder, allow=["FILE_READ *.txt"]) as client:
            assert await client.call("count_words", path="a.txt") == {"words": 1}

    if name == "new\nline":
        with pytest.raises(ConfigurationError):
            asyncio.run(example())
    else:
        asyncio.run(example())


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    async def example() -> None:
        async with client_for(notes()) as client:
            assert await client.request("tools/list")
            assert list(temporary.iterdir())
            raise RuntimeError("the test itself failed")

    with pytest.raises(RuntimeError, match="itself"):
        asyncio.run(example())
    assert list(temporary.iterdir()) == []


def test_children_of_the_test_are_left_alone() -> None:
    import subprocess

    async def example() -> None:
        async with client_for(notes()):
            pass

    with subprocess.Popen(["sh", "-c", "read line"], stdin=subprocess.PIPE) as child:
        asyncio.run(example())
        assert child.poll() is None
        child.communicate(b"\n")
    assert child.returncode == 0
