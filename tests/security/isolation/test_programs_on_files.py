"""Programs of the operator's list, on copies of a client's files, behind the whole chain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.client.memory_client import MAX_ROUNDS
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.security.doors.staged_workspace import StagedWorkspace
from mcp_server.testing import ModuleClient, client_for
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.support.sandboxes import sandbox_table

PROGRAMS = {
    "sh": {"path": "/usr/bin/sh", "arguments": ["-c {script:text}"], "workspace": "write"},
    "cat": {"path": "/usr/bin/cat", "arguments": ["-- {files:path...}"], "workspace": "read"},
    "ls": {"path": "/usr/bin/ls", "arguments": [""]},
    "git": {
        "path": "/usr/bin/git",
        "arguments": ["status --short", "diff -- {files:path...}"],
        "workspace": "read",
    },
}
ALLOW = ["SYSTEM_COMMAND *", "FILE_READ **", "CODE_EXECUTION python"]
Scenario = Callable[[ModuleClient], Coroutine[Any, Any, None]]


@pytest.fixture
def files(folder: Path) -> Path:
    (folder / "a.txt").write_text("old\n")
    (folder / "secret.key").write_text("swordfish\n")
    (folder / "sub").mkdir()
    return folder


def serve(
    files: Path,
    scenario: Scenario,
    allow: list[str],
    *,
    answers: list[bool] | None = None,
    revision: str = "2025-11-25",
    **policy: Any,
) -> list[Mapping[str, Any]]:
    """Run a scenario against a client in memory, and return the questions that its human was asked."""
    asked: list[Mapping[str, Any]] = []

    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(params)
        yes = (answers or []).pop(0)
        return {"action": "accept", "content": {"allow": True}} if yes else {"action": "decline"}

    async def main() -> None:
        async with client_for(
            ExecutionModule(),
            folder=files,
            allow=allow,
            sandbox=sandbox_table(files.parent),
            programs=PROGRAMS,
            answer=answer,
            revision=revision,
            **policy,
        ) as client:
            await scenario(client)

    asyncio.run(main())
    return asked


def test_a_program_sees_copies_of_what_the_client_may_read_and_nothing_else(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="sh", args=["-c", "cat a.txt; ls -A; cat secret.key"])
        assert found["stdout"] == "old\na.txt\nsub\n"
        assert "secret.key" in found["stderr"]
        assert found["exit_code"] == 1

    serve(files, scenario, ["SYSTEM_COMMAND *", "FILE_READ *.txt", "FILE_READ sub"])


def test_with_the_right_to_read_it_the_secret_is_there(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="sh", args=["-c", "cat secret.key"])
        assert found["stdout"] == "swordfish\n"

    serve(files, scenario, ALLOW)


def test_only_what_may_be_written_is_written_back(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        script = "echo new > a.txt; echo made > sub/b.txt; echo no > c.key; rm secret.key"
        found = await client.call("run_command", program="sh", args=["-c", script])
        effects = {each["path"]: each["kind"] for each in found["effects"]["effects"]}
        assert effects == {"a.txt": "changed", "sub/b.txt": "created", "c.key": "refused", "secret.key": "refused"}

    serve(files, scenario, [*ALLOW, "FILE_WRITE *.txt", "FILE_WRITE sub/**"])
    assert (files / "a.txt").read_text() == "new\n"
    assert (files / "sub" / "b.txt").read_text() == "made\n"
    assert (files / "secret.key").read_text() == "swordfish\n"
    assert not (files / "c.key").exists()


def test_with_the_right_to_delete_it_is_deleted(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="sh", args=["-c", "rm secret.key"])
        assert found["effects"]["deleted"] == 1

    serve(files, scenario, [*ALLOW, "FILE_DELETE **"])
    assert not (files / "secret.key").exists()


def test_a_program_that_may_only_read_changes_nothing(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="cat", args=["--", "a.txt"])
        assert found["stdout"] == "old\n"
        assert "effects" not in found

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])


def test_a_program_without_a_workspace_sees_no_file(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        assert (await client.call("run_command", program="ls"))["stdout"] == ""

    serve(files, scenario, ALLOW)


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_what_the_policy_asks_about_is_written_when_a_human_agrees(files: Path, revision: str) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="sh", args=["-c", "echo new > a.txt"])
        assert found["effects"]["changed"] == 1

    asked = serve(files, scenario, ALLOW, ask=["FILE_WRITE *.txt"], answers=[True], revision=revision)
    assert (files / "a.txt").read_text() == "new\n"
    assert len(asked) == 1
    assert "a.txt" in asked[0]["message"]


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_and_not_when_he_does_not(files: Path, revision: str) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_command", program="sh", args=["-c", "echo new > a.txt"])
        assert "declined" in denial.message

    serve(files, scenario, ALLOW, ask=["FILE_WRITE *.txt"], answers=[False], revision=revision)
    assert (files / "a.txt").read_text() == "old\n"


def test_an_answer_counts_for_the_content_it_was_given_for(files: Path) -> None:
    # On this revision the program runs again with the answer; what it writes now is something else.
    async def scenario(client: ModuleClient) -> None:
        with pytest.raises(ProtocolError, match="asked more than"):
            await client.call("run_command", program="sh", args=["-c", "head -c 16 /dev/urandom | od -x > a.txt"])

    answers = [True] * (MAX_ROUNDS + 1)
    asked = serve(files, scenario, ALLOW, ask=["FILE_WRITE *.txt"], answers=answers, revision="2026-07-28")
    assert len(asked) >= MAX_ROUNDS
    assert (files / "a.txt").read_text() == "old\n"


def test_names_that_others_run_are_never_written(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        script = "mkdir -p .git/hooks && echo evil > .git/hooks/pre-commit; echo A=1 > .env; echo x > .bashrc"
        found = await client.call("run_command", program="sh", args=["-c", script])
        refused = {each["path"] for each in found["effects"]["effects"] if each["kind"] == "refused"}
        assert refused >= {".git/hooks/pre-commit", ".env", ".bashrc"}

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])
    assert not (files / ".env").exists()
    assert not (files / ".bashrc").exists()
    assert not (files / ".git" / "hooks" / "pre-commit").exists()


def test_a_program_that_is_not_granted_is_not_run(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_command", program="sh", args=["-c", "echo new > a.txt"])
        assert ("SYSTEM_COMMAND", "sh -c 'echo new > a.txt'") in denial.missing
        assert (await client.call("run_command", program="cat", args=["--", "a.txt"]))["stdout"] == "old\n"

    serve(files, scenario, ["SYSTEM_COMMAND cat *", "FILE_READ **", "FILE_WRITE **"])
    assert (files / "a.txt").read_text() == "old\n"


@pytest.mark.parametrize(
    ("program", "arguments", "told"),
    [
        ("/usr/bin/sh", ["-c", "id"], "no program"),
        ("python3", ["-c", "1"], "no program"),
        ("SH", ["-c", "id"], "no program"),
        ("git", ["push"], "none of the forms"),
        ("git", ["diff", "--output=stolen"], "none of the forms"),
        ("git", ["diff", "--", "--output=stolen"], "none of the forms"),
        ("git", ["-c", "core.fsmonitor=id", "status", "--short"], "none of the forms"),
        ("cat", ["--", "../secret.key"], "none of the forms"),
        ("cat", ["--", "/etc/passwd"], "none of the forms"),
    ],
)
def test_nothing_but_the_listed_forms_is_run(files: Path, program: str, arguments: list[str], told: str) -> None:
    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_command", program=program, args=arguments)
        assert told in denial.message

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])
    assert sorted(each.name for each in files.iterdir()) == ["a.txt", "secret.key", "sub"]


def test_shell_characters_in_an_argument_are_only_text(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="cat", args=["--", "a.txt; touch b.txt", "$(touch c.txt)"])
        assert found["exit_code"] == 1
        assert "a.txt; touch b.txt" in found["stderr"]

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])
    assert sorted(each.name for each in files.iterdir()) == ["a.txt", "secret.key", "sub"]


@pytest.mark.parametrize("key", ["core.fsmonitor", "core.hooksPath", "core.pager"])
def test_a_hostile_repository_reaches_nothing_outside_its_copy(files: Path, key: str) -> None:
    marker = files.parent / "marker"
    repository = files / ".git"
    for name in ("objects", "refs"):
        (repository / name).mkdir(parents=True)
    (repository / "HEAD").write_text("ref: refs/heads/main\n")
    name, option = key.split(".")
    (repository / "config").write_text(f'[{name}]\n\t{option} = "touch {marker}; echo pwned"\n')

    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="git", args=["status", "--short"])
        assert found["reason"] == "exit"

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])
    assert not marker.exists()


def test_python_gets_copies_of_the_files_it_is_given(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        code = "import os; print(open('a.txt').read(), os.listdir())"
        found = await client.call("run_python", code=code, files=["a.txt"])
        assert found["stdout"] == "old\n ['a.txt']\n"
        denial = await client.denied("run_python", code=code, files=["a.txt", "secret.key"])
        assert ("FILE_READ", "secret.key") in denial.missing
        failed = await client.call("run_python", code="open('a.txt', 'w')", files=["a.txt"])
        assert "Permission" in failed["stderr"] or "Read-only" in failed["stderr"]

    serve(files, scenario, ["CODE_EXECUTION python", "FILE_READ *.txt"])
    assert (files / "a.txt").read_text() == "old\n"


def test_nothing_of_a_run_is_left_behind(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        await client.call("run_command", program="sh", args=["-c", "mkdir x; chmod 0 x; mkfifo y; kill -9 $$"])
        await client.call("run_python", code="1", files=["a.txt"])
        assert list((files.parent / "staging").iterdir()) == []

    serve(files, scenario, ALLOW)


def test_a_call_that_is_cancelled_while_its_copies_are_made_leaves_none(files: Path) -> None:
    made = threading.Event()
    go_on = threading.Event()
    areas: list[Any] = []

    class Area:
        is_there = True

        def discard(self) -> None:
            self.is_there = False

    def make() -> Any:
        made.set()
        go_on.wait(10)
        areas.append(Area())
        return areas[-1]

    async def main() -> None:
        async def call() -> None:
            async with StagedWorkspace.opened(
                make=make,
                files=None,
                gate=None,
                run_blocking=asyncio.to_thread,  # type: ignore[arg-type]
            ):
                raise AssertionError("it was cancelled before")

        task = asyncio.create_task(call())
        await asyncio.to_thread(made.wait, 10)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        go_on.set()
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(main())
    assert [area.is_there for area in areas] == [False]


def test_d09_a_client_has_so_many_runs_at_once_and_no_more(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        # Each ends with the processor time it may use, unless it is told that there are too many before.
        calls = [client._call("run_python", {"code": "while True: pass", "timeout": 1.5}) for _ in range(12)]
        results = await asyncio.gather(*calls)
        told = [each["content"][0]["text"] for each in results]
        assert sum("under way already" in text for text in told) == 12 - 3
        # The places are free again.
        assert (await client.call("run_python", code="print(1)"))["stdout"] == "1\n"

    table = sandbox_table(files.parent, concurrent_runs=3)

    async def main() -> None:
        async with client_for(ExecutionModule(), folder=files, allow=ALLOW, sandbox=table) as client:
            await scenario(client)

    asyncio.run(main())


@pytest.mark.parametrize("bound", [{"copied_files": 2}, {"copied_bytes": 10}])
@pytest.mark.parametrize("tool", ["run_command", "start_process"])
def test_of_a_folder_that_is_too_large_to_copy_no_program_sees_a_part(
    files: Path, bound: Mapping[str, int], tool: str
) -> None:
    script = "ls; rm -f secret.key; echo seen"

    async def told(table: Mapping[str, Any]) -> tuple[bool, str]:
        async with client_for(
            ExecutionModule(),
            folder=files,
            allow=[*ALLOW, "FILE_WRITE **", "FILE_DELETE **"],
            sandbox=table,
            programs=PROGRAMS,
        ) as client:
            result = await client._call(tool, {"program": "sh", "args": ["-c", script]})
            return bool(result.get("isError")), str(result["content"][0]["text"])

    failed, text = asyncio.run(told(sandbox_table(files.parent, **bound)))
    assert failed
    assert "too large for a program to work on a copy of it" in text
    assert "copied_files or copied_bytes" in text
    assert str(files) not in text
    assert (files / "secret.key").read_text() == "swordfish\n"
    # The control: the same folder, and room for it.
    assert not asyncio.run(told(sandbox_table(files.parent, copied_files=3, copied_bytes=14)))[0]


def test_what_a_client_may_not_read_takes_no_room(files: Path) -> None:
    (files / "large").mkdir()
    for number in range(20):
        (files / "large" / str(number)).touch()
    table = sandbox_table(files.parent, copied_files=4)

    async def told(deny: list[str]) -> str:
        async with client_for(
            ExecutionModule(), folder=files, allow=ALLOW, deny=deny, sandbox=table, programs=PROGRAMS
        ) as client:
            result = await client._call("run_command", {"program": "sh", "args": ["-c", "ls"]})
            return str(result["content"][0]["text"])

    assert asyncio.run(told(["FILE_READ large/**"])).split() == ["a.txt", "large", "secret.key", "sub"]
    assert "too large" in asyncio.run(told([]))


def test_the_tier_stands_in_the_record_and_the_files_among_the_decisions(files: Path) -> None:
    async def scenario(client: ModuleClient) -> None:
        await client.call("run_command", program="sh", args=["-c", "echo new > a.txt"])
        intent, done = [each.fields for each in client.audit if each.kind.startswith("call.") and each.tool][-2:]
        assert done["tier"] in ("ns", "full")
        assert [need[:2] for need in done["need"]] == [
            ["SYSTEM_COMMAND", "sh -c 'echo new > a.txt'"],
            ["FILE_WRITE", str(files / "a.txt")],
        ]
        assert intent["need"] == []

    serve(files, scenario, [*ALLOW, "FILE_WRITE **"])
