"""Repositories of git that run a program of somebody else, each by another way."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

MARKER: Final = "pwned"
"""What the program makes in its working directory."""

IDENTITY: Final = "[user]\n\tname = Test\n\temail = test@example.org\n"
"""Lets plain git commit."""


def git(directory: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run git in `directory`, knowing nothing of this account's own configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def make_repository(directory: Path) -> None:
    """Make a repository with one commit, and one file that was changed since."""
    git(directory, "init", "-q", "-b", "main")
    (directory / "a.txt").write_text("old\n")
    git(directory, "add", "a.txt")
    git(directory, "commit", "-q", "-m", "first")
    (directory / "a.txt").write_text("new\n")
    for hook in (directory / ".git" / "hooks").iterdir():
        hook.unlink()


def plant(directory: Path, name: str, program: str) -> list[str]:
    """Make a repository in `directory` that runs a command of the shell, and return git's arguments that lead there."""
    make_repository(directory)
    return TRAPS[name](directory, f"touch {MARKER}; {program}")


def _config(directory: Path, text: str) -> None:
    with (directory / ".git" / "config").open("a") as stream:
        stream.write(IDENTITY + text)


def _value(program: str) -> str:
    """Return a program as the value of a variable."""
    return '"' + program.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _script(file: Path, program: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{program}\n")
    file.chmod(0o755)


def _fsmonitor(directory: Path, program: str) -> list[str]:
    _config(directory, f"[core]\n\tfsmonitor = {_value(program + '; true')}\n")
    return ["status", "--short"]


def _included(directory: Path, program: str) -> list[str]:
    (directory / "more").write_text(f"[core]\n\tfsmonitor = {_value(program + '; true')}\n")
    _config(directory, "[include]\n\tpath = ../more\n")
    return ["status", "--short"]


def _hook(directory: Path, program: str) -> list[str]:
    _script(directory / ".git" / "hooks" / "post-commit", program)
    _config(directory, "")
    git(directory, "add", "a.txt")
    return ["commit", "-m", "second"]


def _hooks_path(directory: Path, program: str) -> list[str]:
    _script(directory / "evil" / "pre-commit", program)
    _config(directory, "[core]\n\thooksPath = evil\n")
    git(directory, "add", "a.txt")
    return ["commit", "-m", "second"]


def _textconv(directory: Path, program: str) -> list[str]:
    (directory / ".gitattributes").write_text("*.txt diff=evil\n")
    _config(directory, f'[diff "evil"]\n\ttextconv = {_value(program + "; cat")}\n')
    return ["diff", "--", "a.txt"]


def _driver(directory: Path, program: str) -> list[str]:
    (directory / ".gitattributes").write_text("*.txt diff=evil\n")
    _config(directory, f'[diff "evil"]\n\tcommand = {_value(program + "; true")}\n')
    return ["diff", "--", "a.txt"]


def _external(directory: Path, program: str) -> list[str]:
    _config(directory, f"[diff]\n\texternal = {_value(program + '; true')}\n")
    return ["diff", "--", "a.txt"]


def _clean(directory: Path, program: str) -> list[str]:
    (directory / ".gitattributes").write_text("*.txt filter=evil\n")
    _config(directory, f'[filter "evil"]\n\tclean = {_value(program + "; cat")}\n')
    return ["diff", "--", "a.txt"]


def _smudge(directory: Path, program: str) -> list[str]:
    (directory / ".gitattributes").write_text("*.txt filter=evil\n")
    _config(directory, f'[filter "evil"]\n\tsmudge = {_value(program + "; cat")}\n')
    return ["checkout", "--", "a.txt"]


def _signature(directory: Path, program: str) -> list[str]:
    _script(directory / "evil.sh", program)
    _config(directory, "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = ./evil.sh\n")
    commit = git(directory, "cat-file", "commit", "HEAD")
    head, _, message = commit.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = git(directory, "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{head}\n{signature}\n\n{message}")
    git(directory, "update-ref", "refs/heads/main", signed.strip())
    return ["log", "-n", "1"]


def _promise(directory: Path, program: str) -> list[str]:
    # An object that is missing is fetched from whom the configuration names.
    _script(directory / "evil.sh", program)
    blob = git(directory, "rev-parse", "HEAD:a.txt").strip()
    (directory / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    _config(
        directory,
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n"
        '[remote "origin"]\n\tpromisor = true\n\turl = "ext::./evil.sh"\n[protocol "ext"]\n\tallow = always\n',
    )
    return ["show", "HEAD:a.txt", "--"]


def _ssh(directory: Path, program: str) -> list[str]:
    arguments = _promise(directory, program)
    config = directory / ".git" / "config"
    config.write_text(config.read_text().replace("ext::./evil.sh", "ssh://example.org/x"))
    _config(directory, "[core]\n\tsshCommand = ./evil.sh\n")
    return arguments


def _submodule(directory: Path, program: str) -> list[str]:
    inner = directory / "inner"
    inner.mkdir()
    make_repository(inner)
    commit = git(inner, "rev-parse", "HEAD").strip()
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{commit},inner")
    # Within the inner repository; the marker is made in the outer one.
    _config(inner, f"[core]\n\tfsmonitor = {_value('cd ..; ' + program + '; true')}\n")
    _config(directory, "")
    return ["status", "--short"]


def _elsewhere(directory: Path, program: str) -> list[str]:
    _fsmonitor(directory, program)
    (directory / ".git").rename(directory / "elsewhere")
    (directory / ".git").write_text("gitdir: elsewhere\n")
    return ["status", "--short"]


def _bare(directory: Path, program: str) -> list[str]:
    _fsmonitor(directory, program)
    for each in (directory / ".git").iterdir():
        each.rename(directory / each.name)
    (directory / ".git").rmdir()
    with (directory / "config").open("a") as stream:
        stream.write("[core]\n\tbare = false\n\tworktree = .\n")
    return ["status", "--short"]


TRAPS: Final[dict[str, Callable[[Path, str], list[str]]]] = {
    "core.fsmonitor": _fsmonitor,
    "include.path": _included,
    "hooks": _hook,
    "core.hooksPath": _hooks_path,
    "diff.NAME.textconv": _textconv,
    "diff.NAME.command": _driver,
    "diff.external": _external,
    "filter.NAME.clean": _clean,
    "filter.NAME.smudge": _smudge,
    "gpg.program": _signature,
    "ext::": _promise,
    "core.sshCommand": _ssh,
    "submodule": _submodule,
    "a .git that is a file": _elsewhere,
    "a bare repository": _bare,
}
"""The ways, each a function that plants one and returns git's arguments that walk into it."""


def outside(marker: Path) -> str:
    """Return a command of the shell that makes `marker`, which lies outside of every sandbox."""
    return f"touch {shlex.quote(str(marker))}"
