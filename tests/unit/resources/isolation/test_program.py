from __future__ import annotations

import os
from typing import Any

import pytest

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.program import Program

FORMS = (ArgumentForm("status"), ArgumentForm("log {n:int}"))


def test_one_of_the_forms_must_match() -> None:
    program = Program("git", "/usr/bin/git", FORMS)
    assert program.allows(["status"])
    assert program.allows(["log", "3"])
    assert not program.allows(["push"])
    assert not program.allows([])


@pytest.mark.parametrize("path", ["git", "/bin/git", "/usr/../bin/git", "/home/ada/git", "/usr//bin/git", "/usr"])
def test_a_path_that_is_not_plainly_below_usr_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="below /usr"):
        Program("git", path, FORMS)


def test_a_program_without_forms_is_refused() -> None:
    with pytest.raises(ValueError, match="no form"):
        Program("git", "/usr/bin/git", ())


@pytest.mark.parametrize("name", ["LD_PRELOAD", "GIT_DIR", "PATH", "PYTHONPATH", "BASH_ENV", "IFS", "a-b", ""])
def test_a_variable_that_changes_what_is_executed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="variable"):
        Program("git", "/usr/bin/git", FORMS, environment={name: "x"})


def test_a_program_of_the_system_may_be_run() -> None:
    assert Program("env", "/usr/bin/env", FORMS).problem() is None
    missing = Program("no", "/usr/bin/no-such-program", FORMS)
    assert "not there" in str(missing.problem())


@pytest.mark.parametrize(
    ("mode", "owner", "told"),
    [
        (0o100755, 1000, "others than root"),
        (0o100775, 0, "others than root"),
        (0o100757, 0, "others than root"),
        (0o100644, 0, "no program"),
        (0o040755, 0, "no program"),
        (0o100750, 0, "no program"),
    ],
)
def test_a_file_that_others_could_change_is_not_run(
    monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, told: str
) -> None:
    def stat(path: Any, **options: Any) -> os.stat_result:
        return os.stat_result((mode, 1, 1, 1, owner, 0, 1, 0, 0, 0))

    program = Program("git", "/usr/bin/git", FORMS)
    monkeypatch.setattr("mcp_server.resources.isolation.program.os.stat", stat)
    assert told in str(program.problem())


def test_the_written_form_holds_everything_that_decides() -> None:
    program = Program(
        "git",
        "/usr/bin/git",
        FORMS,
        "write",
        {"TZ": "UTC"},
        prefix=("--no-pager",),
        options={"log": ("--no-ext-diff",)},
        hidden=(".git/hooks/**",),
        substitutes={".git/config": bytes.upper},
    )
    assert program.to_json() == {
        "environment": {"TZ": "UTC"},
        "forms": ["status", "log {n:int}"],
        "hidden": [".git/hooks/**"],
        "options": {"log": ["--no-ext-diff"]},
        "path": "/usr/bin/git",
        "prefix": ["--no-pager"],
        "substitutes": [".git/config"],
        "workspace": "write",
    }


def test_fixed_arguments_come_first_and_are_no_part_of_the_forms() -> None:
    program = Program("git", "/usr/bin/git", FORMS, prefix=("-c", "a=b"), options={"log": ("--no-ext-diff",)})
    assert program.command(["log", "5"]) == ("-c", "a=b", "log", "--no-ext-diff", "5")
    assert program.command(["status"]) == ("-c", "a=b", "status")
    assert program.command([]) == ("-c", "a=b")
    assert not program.allows(["-c", "a=b", "status"])
    assert not program.allows(["log", "--no-ext-diff", "5"])


def test_a_program_without_fixed_arguments_gets_what_it_is_given() -> None:
    assert Program("git", "/usr/bin/git", FORMS).command(["log", "5"]) == ("log", "5")
