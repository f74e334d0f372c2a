"""What of a repository's configuration git is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.git_config import safe_git_config

HARMLESS = {
    "core.repositoryformatversion": "1",
    "core.filemode": "true",
    "core.bare": "false",
    "core.autocrlf": "input",
    "extensions.objectformat": "sha256",
}


def variables(data: bytes, directory: Path) -> dict[str, str]:
    """Return what git itself reads in a configuration."""
    file = directory / "config"
    file.write_bytes(data)
    done = subprocess.run(
        ["git", "config", "--file", file, "--null", "--list"], capture_output=True, check=True, text=True, timeout=60
    )
    found = [entry.partition("\n") for entry in done.stdout.split("\0") if entry]
    return {name: value for name, _, value in found}


def test_how_the_repository_is_written_is_kept(tmp_path: Path) -> None:
    text = "".join(
        f"[{name.partition('.')[0]}]\n\t{name.partition('.')[2]} = {value}\n" for name, value in HARMLESS.items()
    )
    assert variables(safe_git_config(text.encode()), tmp_path) == HARMLESS


@pytest.mark.parametrize(
    "text",
    [
        "[core]\n\tfsmonitor = evil\n\thooksPath = evil\n\tpager = evil\n\tsshCommand = evil\n\tworktree = ..\n",
        "[alias]\n\tstatus = !evil\n",
        '[diff "x"]\n\ttextconv = evil\n\tcommand = evil\n[diff]\n\texternal = evil\n',
        '[filter "x"]\n\tclean = evil\n\tsmudge = evil\n\tprocess = evil\n',
        "[include]\n\tpath = evil\n",
        '[includeIf "gitdir:/"]\n\tpath = evil\n',
        "[core] fsmonitor = evil\n",
        "[core]\n\tfilemode = true \\\n\tfsmonitor = evil\n",
        "[core]\r\n\tfsmonitor = evil\r\n",
        '[core "x"]\n\tfilemode = true\n',
        "[core]\n\tfilemode = $(evil)\n\tbare = `evil`\n\teol = !evil\n",
        "[extensions]\n\tpartialClone = origin\n\tworktreeConfig = true\n",
        "\ufeff[core]\n\tfsmonitor = evil\n",
        "\0" * 100,
        "",
    ],
)
def test_nothing_that_is_run_is_kept(text: str, tmp_path: Path) -> None:
    assert variables(safe_git_config(text.encode()), tmp_path) in ({}, {"core.filemode": "true"})


def test_git_reads_all_of_that_in_the_original(tmp_path: Path) -> None:
    text = "[core]\n\tfilemode = true \\\n\tfsmonitor = evil\n[core] fsmonitor = evil\n[alias]\n\tstatus = !evil\n"
    assert {"core.fsmonitor", "alias.status"} <= set(variables(text.encode(), tmp_path))


def test_an_extension_that_nobody_knows_is_kept_for_git_to_refuse() -> None:
    assert safe_git_config(b"[extensions]\n\trefStorage = reftable\n") == b"[extensions]\n\trefstorage = reftable\n"


@given(st.binary(max_size=400) | st.text('[]core=\\\n\t" !alias.fsmonitor', max_size=200).map(str.encode))
def test_the_result_has_known_keys_only(data: bytes) -> None:
    section = b""
    for line in safe_git_config(data).splitlines():
        if line.startswith(b"["):
            section = line
            assert section in (b"[core]", b"[extensions]")
        else:
            name, _, value = line.strip().partition(b" = ")
            assert section
            assert name.replace(b"-", b"").isalnum()
            assert name not in (b"fsmonitor", b"hookspath", b"pager", b"worktree", b"partialclone")
            assert not set(value) & set(b" \"'\\!$`|;#/")
