"""A handler does the same in a process of its own as in the server's, as far as it goes through its doors."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.testing import ModuleClient
from mcp_server.testing.client_for import client_for
from tests.support.sandboxes import sandbox_table

ALLOW = ("FILE_READ **", "FILE_WRITE **", "FILE_DELETE **", "DIRECTORY_LIST **", "CODE_EXECUTION python")
PROGRAMS = {"echo": {"path": "/usr/bin/echo", "arguments": ["{said:text}"]}}
BOTH: tuple[Literal["inline", "process"], ...] = ("inline", "process")
LEGACY = "2025-11-25"


async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Be the human, and the model, and tell roots."""
    if method == "elicitation/create":
        fields = params["requestedSchema"]["properties"]
        return {"action": "accept", "content": {"name": "Ada", **({"size": "S"} if "size" in fields else {})}}
    if method == "roots/list":
        return {"roots": [{"uri": "file:///x", "name": "x"}]}
    text = f"{params['messages'][0]['content']['text']} {params['maxTokens']} {params['temperature']}"
    return {"role": "assistant", "model": "m", "content": {"type": "text", "text": text}}


class Rig:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "folder"

    def fresh(self) -> None:
        """Make the folder as it was at first."""

        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "notes").mkdir(parents=True)
        (self.folder / "a.txt").write_text("first\nsecond\n", encoding="utf-8")
        (self.folder / "notes" / "n.md").write_text("# n", encoding="utf-8")

    def run(self, act: Callable[[ModuleClient], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        settings: dict[str, Any] = {
            "folder": self.folder,
            "allow": ALLOW,
            "sandbox": sandbox_table(self.directory),
            "isolation": "process",
            **options,
        }

        async def work() -> Any:
            async with client_for("tests.support.apart_handlers", **settings) as client:
                return await act(client)

        return asyncio.run(work())

    def tree(self) -> dict[str, str]:
        """Return the folder's files and what is in them."""
        return {
            str(path.relative_to(self.folder)): path.read_text(encoding="utf-8")
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def rig() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as parent:
        Path(parent).chmod(0o755)
        rig = Rig(Path(parent))
        rig.fresh()
        yield rig


def in_both(rig: Rig, tool: str, /, client: Mapping[str, Any] | None = None, **arguments: Any) -> tuple[Any, Any]:
    """Return the results of one call inline, and of the same call apart, on the same folder."""

    async def act(each: ModuleClient) -> Any:
        result = await each.result(tool, **arguments)
        result.pop("_meta", None)
        return result

    found = []
    for isolation in BOTH:
        rig.fresh()
        found.append((rig.run(act, isolation=isolation, **(client or {})), rig.tree()))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add", {"point": {"x": 1, "y": 2}, "more": [3, 4]}),
        ("add", {"point": {"x": "one"}}),
        ("add", {"pont": {}}),
        ("picture", {}),
        ("fail", {"how": "tool"}),
        ("fail", {"how": "limit"}),
        ("files", {}),
        ("state", {"key": "a", "value": {"b": [1]}}),
        ("state", {"key": "gone", "value": 1}),
        ("report", {}),
        ("execute", {"code": "print(input() + '!')"}),
    ],
)
def test_the_caller_sees_no_difference(rig: Rig, tool: str, arguments: dict[str, Any]) -> None:
    here, there = in_both(rig, tool, **arguments)
    assert here == there


def test_a_bug_is_masked_and_its_stack_is_in_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    (here, _), (there, _) = in_both(rig, "fail", how="bug")
    assert "failed unexpectedly" in there["content"][0]["text"]
    assert [block["text"].rpartition(" ")[0] for block in here["content"]] == [
        block["text"].rpartition(" ")[0] for block in there["content"]
    ]
    assert "a secret of the module" not in str(there)
    assert any("a secret of the module" in str(each.exc_info) for each in caplog.records if each.exc_info)


def test_the_facts_of_the_call_are_there_and_the_start_hooks_have_run(rig: Rig) -> None:
    (here, _), (there, _) = in_both(rig, "facts")
    # Inline the module is one, and each server that was made of it has started it.
    assert here["structuredContent"].pop("started") >= 1
    assert there["structuredContent"].pop("started") == 1
    assert there["structuredContent"] == here["structuredContent"]


@pytest.mark.parametrize("revision", [LEGACY, "2026-07-28"])
def test_questions_to_the_human_and_the_model_go_through(rig: Rig, revision: str) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.call("talk")

    expected = {"name": "Ada", "said": "hello 10 0.5", "roots": ["file:///x"]}
    assert rig.run(act, answer=answer, revision=revision) == expected
    assert rig.run(act, answer=answer, revision=revision, isolation="inline") == expected


def test_who_cannot_ask_is_told(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        return (await client.result("ask_once"))["content"][0]["text"]

    here, there = (rig.run(act, revision=LEGACY, isolation=isolation) for isolation in BOTH)
    assert here == there


def test_progress_and_log_reach_the_client(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        await client.request("logging/setLevel", {"level": "debug"})
        params = {"name": "report", "arguments": {}, "_meta": {"progressToken": "t"}}
        await client.request("tools/call", params)
        return client.notifications

    here, there = (rig.run(act, revision=LEGACY, isolation=isolation) for isolation in BOTH)
    assert here == there
    assert [each["method"] for each in there].count("notifications/progress") >= 1
    assert {"level": "warning", "data": "nearly", "logger": "everything"} in [each["params"] for each in there]


def test_programs_run_for_it_in_their_own_sandboxes(rig: Rig) -> None:
    (here, _), (there, _) = in_both(
        rig, "command", client={"allow": (*ALLOW, "SYSTEM_COMMAND echo *"), "programs": PROGRAMS}
    )
    assert there["structuredContent"] == here["structuredContent"]
    assert there["structuredContent"]["said"] == "hello\n"


def test_prompts_resources_and_completions_run_apart_as_well(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        prompt = await client.request("prompts/get", {"name": "poem", "arguments": {"topic": "rain"}})
        resource = await client.request("resources/read", {"uri": "thing://one"})
        reference = {"type": "ref/prompt", "name": "poem"}
        completed = await client.request(
            "completion/complete", {"ref": reference, "argument": {"name": "topic", "value": "s"}}
        )
        tiers = [each.fields.get("tier") for each in client.audit if each.fields.get("method") != "prompts/list"]
        return prompt["messages"], resource["contents"], completed["completion"], [tier for tier in tiers if tier]

    here = rig.run(act, isolation="inline")
    there = rig.run(act)
    assert there[:3] == here[:3]
    assert here[3] == []
    assert len(there[3]) >= 3


# Files without doors.


def test_what_it_writes_by_itself_is_written_back(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.result("by_hand", source="a.txt", target="notes/copy.txt")

    result = rig.run(act)
    assert result["content"][0]["text"] == str(rig.folder)
    assert rig.tree()["notes/copy.txt"] == "FIRST\nSECOND\n"
    effects = result["_meta"]["dev.mcpserver/effects"]
    assert [(each["path"], each["kind"]) for each in effects["effects"]] == [("notes/copy.txt", "created")]


def test_a_folder_is_changed_as_by_a_program(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.result("tree")

    result = rig.run(act)
    assert result["content"][0]["text"] == '["a.txt","notes","notes/n.md"]'
    assert rig.tree() == {"a.txt": "changed", "new/file.txt": "new"}
    effects = result["_meta"]["dev.mcpserver/effects"]
    assert [effects[kind] for kind in ("created", "changed", "deleted", "refused")] == [2, 1, 1, 0]


def test_what_may_not_be_written_stays_as_it_was_and_is_told(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.result("tree")

    before = rig.tree()
    result = rig.run(act, allow=(*ALLOW[:1], *ALLOW[3:], "FILE_WRITE new/**", "FILE_WRITE new", "FILE_DELETE new/**"))
    assert rig.tree() == {**before, "new/file.txt": "new"}
    refused = [each for each in result["_meta"]["dev.mcpserver/effects"]["effects"] if each["kind"] == "refused"]
    assert sorted(each["path"] for each in refused) == ["a.txt", "notes/n.md"]


def test_what_the_policy_asks_about_is_asked_before_it_is_written(rig: Rig) -> None:
    asked: list[str] = []

    async def human(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(params["message"])
        return {"action": "decline"}

    async def act(client: ModuleClient) -> Any:
        return await client.result("tree")

    before = rig.tree()
    result = rig.run(
        act, allow=("FILE_READ **", "DIRECTORY_LIST **"), ask=("FILE_WRITE **", "FILE_DELETE **"), answer=human
    )
    assert result["isError"]
    assert rig.tree() == before
    assert asked


def test_a_handler_that_fails_writes_nothing(rig: Rig) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.result("by_hand", source="a.txt", target="missing/copy.txt")

    before = rig.tree()
    assert rig.run(act)["isError"]
    assert rig.tree() == before


# Who runs where.


@pytest.mark.parametrize(
    ("options", "tier"),
    [
        ({"isolation": "inline"}, False),
        ({"isolation": "process"}, True),
        ({"isolation": "inline", "modules": {"everything": {"isolation": "process"}}}, True),
        ({"isolation": "inline", "modules": {"other": {"isolation": "process"}}}, False),
        ({"isolation": "process", "modules": {"everything": {"isolation": "inline"}}}, True),
    ],
)
def test_the_policy_says_where(rig: Rig, options: dict[str, Any], tier: bool) -> None:
    async def act(client: ModuleClient) -> Any:
        return await client.result("facts")

    assert ("dev.mcpserver/isolation" in rig.run(act, **options).get("_meta", {})) is tier


@pytest.mark.parametrize(
    ("options", "apart"),
    [
        ({"isolation": "inline"}, 1),
        ({"isolation": "inline", "modules": {"everything": {"isolation": "inline"}}}, 0),
    ],
)
def test_what_declares_execution_runs_apart_unless_the_policy_says_otherwise(
    rig: Rig, options: dict[str, Any], apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, ...]] = []
    prepare = ExecutionManager.prepare

    async def counted(self: ExecutionManager, request: ExecutionRequest, **more: Any) -> SandboxWorker:
        made.append(request.code_paths)
        return await prepare(self, request, **more)

    monkeypatch.setattr(ExecutionManager, "prepare", counted)

    async def act(client: ModuleClient) -> Any:
        return await client.call("execute", code="print(1)")

    assert rig.run(act, **options) == "1"
    # The doctor's own attack is made of no module's code, nor is what the door runs.
    assert [bool(code) for code in made].count(True) == apart
