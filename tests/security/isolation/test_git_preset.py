"""Git on repositories that somebody hostile has written, by the preset of the policy, behind the whole chain.

Each is walked into three times: by plain git, which runs what was planted and so shows that something was; by git with
nothing but the preset's fixed arguments; and by the preset as a client uses it, in its sandbox.
"""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.program_presets import GIT_READING, GIT_WRITING, program_of_preset
from mcp_server.testing import ModuleClient, client_for
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.support.hostile_repositories import MARKER, TRAPS, git, make_repository, outside, plant
from tests.support.sandboxes import sandbox_table

PLAIN = {"path": "/usr/bin/git", "arguments": [*GIT_READING, *GIT_WRITING], "workspace": "write"}
ALLOW = ["SYSTEM_COMMAND *", "FILE_READ **", "FILE_WRITE **"]
# Filters have names that nobody knows beforehand: against them it helps only that git is not told of any.
BEYOND_THE_PREFIX = ("filter.NAME.clean", "filter.NAME.smudge")
Scenario = Callable[[ModuleClient], Coroutine[Any, Any, None]]


def serve(files: Path, scenario: Scenario, *, allow: list[str] = ALLOW, git: Mapping[str, Any]) -> None:
    async def main() -> None:
        async with client_for(
            ExecutionModule(),
            folder=files,
            allow=allow,
            sandbox=sandbox_table(files.parent),
            programs={"git": git},
        ) as client:
            await scenario(client)

    asyncio.run(main())


def effects(found: Mapping[str, Any]) -> dict[str, str]:
    return {each["path"]: each["kind"] for each in found.get("effects", {}).get("effects", ())}


def walk_into(files: Path, name: str, program: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return what git says of a hostile repository, and whether its program reached what lies outside."""
    outer = files.parent / "outside"
    arguments = plant(files, name, outside(outer))
    found: list[Mapping[str, Any]] = []

    async def scenario(client: ModuleClient) -> None:
        found.append(await client.call("run_command", program="git", args=arguments))

    serve(files, scenario, git=program)
    return found[0], outer.exists()


@pytest.mark.parametrize("name", TRAPS)
def test_with_plain_git_the_program_runs_and_reaches_nothing_outside(folder: Path, name: str) -> None:
    found, has_escaped = walk_into(folder, name, PLAIN)
    assert MARKER in effects(found)
    assert not has_escaped


@pytest.mark.parametrize("name", TRAPS)
def test_with_the_preset_it_does_not_even_run(folder: Path, name: str) -> None:
    found, has_escaped = walk_into(folder, name, {"preset": "git", "workspace": "write"})
    assert found["reason"] == "exit"
    assert MARKER not in effects(found)
    assert not has_escaped
    assert not (folder / MARKER).exists()


def bare(directory: Path, name: str, prefix: bool) -> bool:
    """Return whether git, as a process like any other, ran what was planted."""
    arguments = plant(directory, name, "true")
    if prefix:
        arguments = list(program_of_preset("git", "git", workspace="write").command(arguments))
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ["/usr/bin/git", *arguments], cwd=directory, env=environment, capture_output=True, check=False, timeout=60
    )
    return (directory / MARKER).exists()


@pytest.mark.parametrize("name", TRAPS)
def test_the_fixed_arguments_alone_prevent_all_but_filters(tmp_path: Path, name: str) -> None:
    assert bare(tmp_path, name, prefix=True) == (name in BEYOND_THE_PREFIX)


@pytest.mark.parametrize("name", TRAPS)
def test_without_them_it_runs(tmp_path: Path, name: str) -> None:
    assert bare(tmp_path, name, prefix=False)


@pytest.mark.parametrize("is_plain", [True, False])
def test_no_pager_is_started_even_at_a_terminal(tmp_path: Path, is_plain: bool) -> None:
    make_repository(tmp_path)
    with (tmp_path / ".git" / "config").open("a") as stream:
        stream.write(f'[core]\n\tpager = "touch {MARKER}; cat"\n')
    arguments = ["log", "-n", "1"]
    if not is_plain:
        arguments = list(program_of_preset("git", "git").command(arguments))
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "vt100"}
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            ["/usr/bin/git", *arguments], cwd=tmp_path, env=environment, stdout=theirs, check=True, timeout=60
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert (tmp_path / MARKER).exists() == is_plain


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "--output=stolen"],
        ["diff", "--", "--output=stolen"],
        ["log", "-n", "1", "--output=stolen", "--"],
        ["fetch", "--upload-pack=touch stolen"],
        ["-c", "core.fsmonitor=touch stolen", "status"],
        ["--exec-path=.", "status"],
        ["--git-dir=elsewhere", "status"],
        ["-C", "..", "status"],
        ["clone", "ext::sh -c 'touch stolen'"],
        ["submodule", "update", "--init"],
        ["config", "core.fsmonitor", "touch stolen"],
        ["st"],
    ],
)
def test_no_other_option_and_no_other_verb_is_run(folder: Path, arguments: list[str]) -> None:
    make_repository(folder)
    (folder / ".git" / "config").write_text('[alias]\n\tst = "!touch stolen"\n')

    async def scenario(client: ModuleClient) -> None:
        denial = await client.denied("run_command", program="git", args=arguments)
        assert "none of the forms" in denial.message

    serve(folder, scenario, git={"preset": "git", "workspace": "write"})
    assert not (folder / "stolen").exists()


def test_what_reads_is_answered_as_by_any_git(folder: Path) -> None:
    make_repository(folder)
    (folder / "sub").mkdir()
    (folder / "sub" / "ü.txt").write_text("new\n")
    head = git(folder, "rev-parse", "HEAD").strip()

    async def scenario(client: ModuleClient) -> None:
        async def run(*arguments: str) -> str:
            found = await client.call("run_command", program="git", args=list(arguments))
            assert found["exit_code"] == 0, found
            assert "effects" not in found
            return str(found["stdout"])

        assert await run("status", "--short") == " M a.txt\n?? sub/\n"
        assert await run("rev-parse", "--verify", "HEAD") == f"{head}\n"
        assert await run("log", "--oneline", "-n", "5") == f"{head[:7]} first\n"
        assert await run("show", "HEAD:a.txt", "--") == "old\n"
        assert "+old" in await run("show", "HEAD", "--")
        assert await run("diff", "HEAD", "--", "a.txt") == await run("diff", "--", "a.txt")
        assert "-old\n+new\n" in await run("diff")
        assert "new" in await run("blame", "--", "a.txt")
        assert await run("branch", "--list") == "* main\n"
        assert await run("ls-files") == "a.txt\n"

    serve(folder, scenario, allow=["SYSTEM_COMMAND git *", "FILE_READ **"], git={"preset": "git"})


def test_a_commit_reaches_the_real_repository(folder: Path) -> None:
    make_repository(folder)
    before = (folder / ".git" / "config").read_bytes()
    (folder / "b.txt").write_text("more\n")

    async def scenario(client: ModuleClient) -> None:
        await client.call("run_command", program="git", args=["add", "--", "a.txt", "b.txt"])
        found = await client.call("run_command", program="git", args=["commit", "-m", "second; `id`"])
        assert found["exit_code"] == 0, found
        assert found["effects"]["refused"] == 0

    serve(
        folder,
        scenario,
        allow=["SYSTEM_COMMAND git *", "FILE_READ **", "FILE_WRITE .git/**"],
        git={"preset": "git", "workspace": "write"},
    )
    assert git(folder, "log", "--format=%an <%ae> %s", "-n", "1") == "mcp-client <mcp-client@localhost> second; `id`\n"
    assert git(folder, "show", "HEAD:b.txt") == "more\n"
    assert git(folder, "status", "--short") == ""
    # Raises where something of the repository is missing or broken.
    git(folder, "fsck", "--strict")
    assert (folder / ".git" / "config").read_bytes() == before


def test_without_the_right_to_write_there_is_no_commit(folder: Path) -> None:
    make_repository(folder)
    git(folder, "add", "a.txt")
    head = git(folder, "rev-parse", "HEAD")

    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="git", args=["commit", "-m", "second"])
        assert set(effects(found).values()) == {"refused"}

    serve(
        folder,
        scenario,
        allow=["SYSTEM_COMMAND git *", "FILE_READ **", "FILE_WRITE *.txt"],
        git={"preset": "git", "workspace": "write"},
    )
    assert git(folder, "rev-parse", "HEAD") == head


def test_the_operator_says_who_commits(folder: Path) -> None:
    make_repository(folder)
    git(folder, "add", "a.txt")

    async def scenario(client: ModuleClient) -> None:
        await client.call("run_command", program="git", args=["commit", "-m", "second"])

    names = {"GIT_AUTHOR_NAME": "Ada's model", "GIT_COMMITTER_NAME": "The server"}
    serve(folder, scenario, git={"preset": "git", "workspace": "write", "environment": names})
    assert git(folder, "log", "--format=%an, %cn", "-n", "1") == "Ada's model, The server\n"


def test_a_file_is_restored(folder: Path) -> None:
    make_repository(folder)

    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="git", args=["restore", "--", "a.txt"])
        assert effects(found)["a.txt"] == "changed"

    serve(folder, scenario, git={"preset": "git", "workspace": "write"})
    assert (folder / "a.txt").read_text() == "old\n"


def test_a_repository_with_other_hashes_is_understood(folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main", "--object-format=sha256")
    (folder / "a.txt").write_text("old\n")
    git(folder, "add", "a.txt")
    git(folder, "commit", "-q", "-m", "first")

    async def scenario(client: ModuleClient) -> None:
        found = await client.call("run_command", program="git", args=["rev-parse", "--verify", "HEAD"])
        assert len(found["stdout"].strip()) == 64
        assert (await client.call("run_command", program="git", args=["status", "--short"]))["stdout"] == ""

    serve(folder, scenario, git={"preset": "git"})
