"""Programs that come with forms which are safe, so that an operator need not invent them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.git_config import safe_git_config
from mcp_server.resources.isolation.program import Program

PRESETS: Final = ("git",)
"""The names that a policy can give."""

# What a repository's configuration could say against us, said first. It is the second barrier: the first is that git
# is given none of that configuration (`safe_git_config`), the last that all of it runs in a sandbox.
_GIT_SETTINGS: Final = (
    # Programs that git would start for us.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=false",
    "core.sshCommand=false",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "gpg.program=false",
    "commit.gpgSign=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    # `protocol.allow` is what holds where a repository says nothing of a protocol; so each is named.
    "protocol.allow=never",
    *(f"protocol.{name}.allow=never" for name in ("ext", "fd", "file", "git", "http", "https", "ssh")),
    # Repositories within the repository, and one that somebody has written as plain files of the folder.
    "submodule.recurse=false",
    "status.submoduleSummary=false",
    "diff.ignoreSubmodules=all",
    "safe.bareRepository=explicit",
    # Attributes of the account.
    "core.attributesFile=/dev/null",
    # What a model reads.
    "color.ui=false",
    "core.quotePath=false",
    # Who commits, unless the operator says: whoever reads the history should see that it was not the user himself.
    "user.name=mcp-client",
    "user.email=mcp-client@localhost",
)

GIT_PREFIX: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    *(word for setting in _GIT_SETTINGS for word in ("-c", setting)),
)
"""What git is given before everything else."""

_PLAIN_DIFF: Final = ("--no-ext-diff", "--no-textconv")

GIT_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "diff": _PLAIN_DIFF,
    "log": _PLAIN_DIFF,
    "show": _PLAIN_DIFF,
    "blame": ("--no-textconv",),
    "status": ("--ignore-submodules=all",),
    "commit": ("--no-verify", "--no-gpg-sign"),
    "checkout": ("--no-recurse-submodules",),
    "restore": ("--no-recurse-submodules",),
}
"""What single subcommands are given as well."""

# A name that is both a revision and a file is never guessed at: behind a revision stands `--`, with or without files.
GIT_READING: Final = (
    "status",
    "status --short",
    "status --short --branch",
    "log -n {count:int}",
    "log -n {count:int} -- {files:path...}",
    "log -n {count:int} {revision:revision} -- {files:path...}",
    "log --oneline -n {count:int}",
    "log --oneline -n {count:int} -- {files:path...}",
    "log --oneline -n {count:int} {revision:revision} -- {files:path...}",
    "log --stat -n {count:int}",
    "log --patch -n {count:int} -- {files:path...}",
    "show {revision:revision} -- {files:path...}",
    "show --stat {revision:revision} -- {files:path...}",
    "diff",
    "diff --stat",
    "diff --cached",
    "diff --cached --stat",
    "diff -- {files:path...}",
    "diff --cached -- {files:path...}",
    "diff {revision:revision} -- {files:path...}",
    "diff {from:revision} {to:revision} -- {files:path...}",
    "blame -- {file:path}",
    "blame {revision:revision} -- {file:path}",
    "branch --list",
    "branch --list --all",
    "branch --show-current",
    "ls-files",
    "ls-files -- {files:path...}",
    "rev-parse --verify {revision:revision}",
    "rev-parse --abbrev-ref HEAD",
)
"""The forms that change nothing."""

GIT_WRITING: Final = (
    "add -- {files:path...}",
    "commit -m {message:text}",
    "checkout -- {files:path...}",
    "restore -- {files:path...}",
    "restore --staged -- {files:path...}",
)
"""The forms that a workspace which is written back has as well."""

# Configuration and hooks of the repository and of those within it; and a file `.git`, which would lead to another one.
_GIT_HIDDEN: Final = (
    ".git",
    ".git/config",
    ".git/config.worktree",
    ".git/commondir",
    ".git/hooks/**",
    ".git/modules/**",
)


def program_of_preset(
    preset: str,
    name: str,
    *,
    path: str | None = None,
    forms: Sequence[ArgumentForm] = (),
    workspace: Literal["none", "read", "write"] = "read",
    environment: Mapping[str, str] | None = None,
) -> Program:
    """Return the program that a preset describes.

    Args:
        preset: One of `PRESETS`.
        name: What clients call it.
        path: Another file than the preset's.
        forms: Forms in place of the preset's.
        workspace: With `write` the forms that change something are there as well.
        environment: Variables that it is given.

    Raises:
        ValueError: There is no such preset, or it cannot be what is asked for.

    >>> git = program_of_preset("git", "git")
    >>> git.path, git.workspace, git.allows(["log", "-n", "5"]), git.allows(["commit", "-m", "hello"])
    ('/usr/bin/git', 'read', True, False)
    """
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    if workspace == "none":
        raise ValueError(f"the preset {preset!r} works on files; its workspace is 'read' or 'write'")
    if not forms:
        forms = [ArgumentForm(text) for text in (*GIT_READING, *(GIT_WRITING if workspace == "write" else ()))]
    return Program(
        name,
        path or "/usr/bin/git",
        tuple(forms),
        workspace,
        environment or {},
        prefix=GIT_PREFIX,
        options=GIT_OPTIONS,
        hidden=_GIT_HIDDEN,
        substitutes={".git/config": safe_git_config},
    )
