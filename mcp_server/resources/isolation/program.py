"""A program that the operator lets clients run."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.sandbox_policy import check_variable


@dataclass(frozen=True, slots=True)
class Program:
    """A name, the one file it stands for, and the forms its arguments may have; nothing else is ever executed.

    Args:
        name: What clients call it.
        path: The file's absolute path, below `/usr`: what is inside the sandbox too.
        forms: The forms of its arguments; one of them must match.
        workspace: Whether it sees the client's files: not at all, as copies, or as copies that are written back.
        environment: Variables that it is given.
        prefix: Arguments that are put before the client's; no part of what the client says or is asked about.
        options: Arguments that are put right after the client's first one, by that one: options of a subcommand.
        hidden: Names of files that it gets no copy of, in the form of `ProtectedNames`.
        substitutes: Files, relative to the folder, of which it gets what the function makes of their content.

    Raises:
        ValueError: The path is not below `/usr`, there is no form, or a variable may not be set.

    >>> git = Program("git", "/usr/bin/git", (ArgumentForm("diff --stat"),), "read", prefix=("--no-pager",),
    ...               options={"diff": ("--no-ext-diff",)})
    >>> git.allows(["diff", "--stat"]), git.allows(["push"])
    (True, False)
    >>> git.command(["diff", "--stat"])
    ('--no-pager', 'diff', '--no-ext-diff', '--stat')
    """

    name: str
    path: str
    forms: tuple[ArgumentForm, ...]
    workspace: Literal["none", "read", "write"] = "none"
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    substitutes: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if os.path.normpath(self.path) != self.path or not self.path.startswith("/usr/"):
            raise ValueError(f"the program {self.name!r} must be named by its absolute path below /usr")
        if not self.forms:
            raise ValueError(f"the program {self.name!r} has no form of arguments, so it could never be run")
        for name, value in self.environment.items():
            check_variable(name, value)

    def allows(self, arguments: Sequence[str]) -> bool:
        """Whether the arguments have one of the forms."""
        return any(form.matches(arguments) for form in self.forms)

    def command(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Return what the program is really given where the client gives it `arguments`."""
        if not arguments:
            return self.prefix
        first, *rest = arguments
        return (*self.prefix, first, *self.options.get(first, ()), *rest)

    def problem(self) -> str | None:
        """Return why the file must not be run, None when it may be."""
        try:
            found = os.stat(self.path)
        except OSError:
            return f"{self.path} is not there"
        if not stat.S_ISREG(found.st_mode) or not found.st_mode & stat.S_IXOTH:
            return f"{self.path} is no program that everybody may run"
        if found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"{self.path} can be changed by others than root"
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the program as JSON members."""
        return {
            "environment": dict(sorted(self.environment.items())),
            "forms": [form.text for form in self.forms],
            "hidden": list(self.hidden),
            "options": {word: list(options) for word, options in sorted(self.options.items())},
            "path": self.path,
            "prefix": list(self.prefix),
            "substitutes": sorted(self.substitutes),
            "workspace": self.workspace,
        }
