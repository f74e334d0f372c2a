"""The forms of the preset `git`, and what is put before them."""

from __future__ import annotations

import pytest

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.program_presets import GIT_PREFIX, program_of_preset


@pytest.fixture(scope="module")
def reading() -> Program:
    return program_of_preset("git", "git")


@pytest.fixture(scope="module")
def writing() -> Program:
    return program_of_preset("git", "git", workspace="write")


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "status --short",
        "log -n 5",
        "log --oneline -n 5 main..topic -- src/a.py b.py",
        "show HEAD --",
        "show HEAD~2:a.txt --",
        "diff",
        "diff -- a.txt",
        "diff --cached",
        "diff HEAD --",
        "diff main topic -- a.txt",
        "blame -- a.txt",
        "branch --list",
        "ls-files",
        "rev-parse --verify HEAD",
    ],
)
def test_what_reads_is_allowed_with_either_workspace(reading: Program, writing: Program, command: str) -> None:
    assert reading.allows(command.split())
    assert writing.allows(command.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "--", "a.txt"],
        ["commit", "-m", "A message; with `anything` in it\n\nand more"],
        ["checkout", "--", "a.txt"],
        ["restore", "--", "a.txt"],
        ["restore", "--staged", "--", "a.txt"],
    ],
)
def test_what_writes_is_allowed_where_the_workspace_is_written_back(
    reading: Program, writing: Program, arguments: list[str]
) -> None:
    assert writing.allows(arguments)
    assert not reading.allows(arguments)


@pytest.mark.parametrize(
    "command",
    [
        # Writes where it likes, or starts what it likes.
        "diff --output=x",
        "diff -- --output=x",
        "diff --output=x --",
        "diff --ext-diff",
        "diff --no-index -- a b",
        "log -n 5 --output=x",
        "log -n --output=x",
        "log -n 5 --output=x --",
        "show --output=x --",
        "show --textconv HEAD --",
        "-c core.fsmonitor=evil status",
        "--config-env=core.fsmonitor=X status",
        "--exec-path=. status",
        "--exec-path=/tmp status",
        "--git-dir=evil status",
        "--work-tree=/ status",
        "-C .. status",
        "-p status",
        "--paginate status",
        "fetch --upload-pack=evil",
        "fetch-pack --upload-pack=evil .",
        "clone ext::evil",
        "ls-remote ext::evil",
        "archive --remote=ext::evil HEAD",
        "remote add x ext::evil",
        "submodule update --init",
        "config core.fsmonitor evil",
        "grep -O evil",
        "bisect run evil",
        "rebase --exec evil HEAD",
        "worktree add ../x",
        "init ../x",
        "hook run pre-commit",
        "rev-parse --parseopt",
        "rev-parse --verify --git-dir",
        "branch topic",
        "branch -D main",
        "blame --contents /etc/passwd -- a.txt",
        "blame -- ../a.txt",
        "ls-files -- /etc/passwd",
        "ls-files -- :/",
        "ls-files --exclude-from=/etc/passwd",
        "status --porcelain=v2 --",
        # What would write, but not so.
        "add -A",
        "add -- -A",
        "add -- ../a.txt",
        "add --pathspec-from-file=/etc/passwd",
        "commit",
        "commit -F /etc/passwd",
        "commit --template=/etc/passwd",
        "commit -m --amend",
        "commit -m x --no-verify",
        "commit --amend -m x",
        "checkout main",
        "checkout -b x",
        "checkout a.txt",
        "restore --source=HEAD -- a.txt",
        "reset --hard",
        "clean -fdx",
        "push",
    ],
)
def test_nothing_else_is(reading: Program, writing: Program, command: str) -> None:
    assert not reading.allows(command.split())
    assert not writing.allows(command.split())


def test_the_prefix_comes_before_everything_and_the_options_behind_their_verb(reading: Program) -> None:
    command = reading.command(["diff", "--", "a.txt"])
    assert command == (*GIT_PREFIX, "diff", "--no-ext-diff", "--no-textconv", "--", "a.txt")
    assert reading.command(["ls-files"]) == (*GIT_PREFIX, "ls-files")


def test_an_operator_may_name_other_forms_and_keeps_the_rest() -> None:
    program = program_of_preset("git", "g", path="/usr/local/bin/git", forms=[ArgumentForm("status")])
    assert (program.name, program.path, program.workspace) == ("g", "/usr/local/bin/git", "read")
    assert program.allows(["status"])
    assert not program.allows(["diff"])
    assert program.prefix == GIT_PREFIX


def test_a_preset_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no preset 'hg'"):
        program_of_preset("hg", "hg")


def test_git_without_files_is_refused() -> None:
    with pytest.raises(ValueError, match="'read' or 'write'"):
        program_of_preset("git", "git", workspace="none")
