"""One run, as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_server.resources.isolation.bubblewrap import WORKSPACE
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy

if TYPE_CHECKING:
    from mcp_server.resources.network.egress_proxy import EgressProxy


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """What is to be run, with what, under which policy; either `code` or `program`.

    Args:
        policy: What it may do.
        code: The text of a Python program, run by the interpreter inside.
        program: The absolute path of a program, as it is inside the sandbox.
        arguments: The program's arguments, or what the Python program finds in `sys.argv[1:]`; never a shell's text.
        stdin: What it can read.
        workspace: An open descriptor of the directory that is its `/workspace`; None for an empty one that is gone
            afterwards. It stays the caller's.
        workspace_path: Where the workspace is found inside, when not at `/workspace`.
        code_paths: Files and directories of the host that it may read, each found inside under its own name.
        on_output: Told of each piece as it comes, with the stream's name, `stdout` or `stderr`.
        open_proxy: Makes what carries its connections to the hosts and ports of the policy, and nowhere else.

    Raises:
        ValueError: Not exactly one of `code` and `program`, a program where the policy allows none, an argument that no
            program can be given, or something to reach and nothing that leads there.
    """

    policy: SandboxPolicy
    code: str | None = None
    program: str | None = None
    arguments: tuple[str, ...] = ()
    stdin: bytes = b""
    workspace: int | None = None
    workspace_path: str = WORKSPACE
    code_paths: tuple[str, ...] = ()
    on_output: Callable[[str, bytes], None] | None = None
    open_proxy: Callable[[tuple[str, ...]], EgressProxy] | None = None

    def __post_init__(self) -> None:
        if (self.code is None) == (self.program is None):
            raise ValueError("a run is either code or a program")
        if self.program is not None and not self.policy.may_execute:
            raise ValueError("the policy lets no program be executed")
        if self.program is not None and not self.program.startswith("/"):
            raise ValueError("a program is named by its absolute path")
        if any("\0" in each for each in (*self.arguments, self.program or "")):
            raise ValueError("an argument holds a NUL")
        if any("\ud800" <= letter <= "\udfff" for each in (*self.arguments, self.program or "") for letter in each):
            raise ValueError("an argument holds half a character")
        if len(self.stdin) > self.policy.limits.stdin_bytes:
            raise ValueError("more input than the policy allows")
        if self.policy.network and self.open_proxy is None:
            raise ValueError("there is no proxy for what the policy lets it reach")
