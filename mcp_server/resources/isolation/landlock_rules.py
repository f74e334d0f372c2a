"""From a policy to what Landlock is told."""

from __future__ import annotations

from typing import Any, Final

from mcp_server.resources.isolation.relay import PORT
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.kernel.landlock import (
    ACCESS_FS_EXECUTE,
    ACCESS_FS_MAKE_DIR,
    ACCESS_FS_MAKE_REG,
    ACCESS_FS_MAKE_SYM,
    ACCESS_FS_READ_DIR,
    ACCESS_FS_READ_FILE,
    ACCESS_FS_REFER,
    ACCESS_FS_REMOVE_DIR,
    ACCESS_FS_REMOVE_FILE,
    ACCESS_FS_TRUNCATE,
    ACCESS_FS_WRITE_FILE,
    ACCESS_NET_CONNECT_TCP,
    Landlock,
)

READ: Final = ACCESS_FS_READ_FILE | ACCESS_FS_READ_DIR
# Neither devices nor sockets nor pipes with a name: whoever finds one of these in the workspace opens a trap.
WRITE: Final = (
    READ
    | ACCESS_FS_WRITE_FILE
    | ACCESS_FS_TRUNCATE
    | ACCESS_FS_MAKE_REG
    | ACCESS_FS_MAKE_DIR
    | ACCESS_FS_MAKE_SYM
    | ACCESS_FS_REMOVE_FILE
    | ACCESS_FS_REMOVE_DIR
    | ACCESS_FS_REFER
)


class LandlockRules:
    """Compiles what one run may do with the files of its sandbox, and that it may connect to the relay or to nothing.

    Rights that the kernel does not know are left out of what is handled, and the other barriers have to do.

    Args:
        abi: The version that the kernel has; below 1 there is none.

    Source: `docs/explanation/how-code-is-contained.md`.

    >>> LandlockRules(0).compile(SandboxPolicy(), SandboxView()) is None
    True
    >>> dict(LandlockRules(7).compile(SandboxPolicy(), SandboxView())["rules"])["/workspace"] == READ
    True
    """

    def __init__(self, abi: int) -> None:
        self.abi = abi

    def compile(self, policy: SandboxPolicy, view: SandboxView) -> dict[str, Any] | None:
        """Return the arguments for the runner, None where the kernel has no Landlock.

        Args:
            policy: What the run may do.
            view: Where things are for it.
        """
        if self.abi < 1:
            return None
        known = Landlock.fs_rights(self.abi)
        execute = ACCESS_FS_EXECUTE if policy.may_execute else 0
        rights = dict.fromkeys(view.system, READ | execute)
        rights |= dict.fromkeys(view.readable, READ)
        rights |= dict.fromkeys(view.devices, READ | ACCESS_FS_WRITE_FILE)
        rights |= dict.fromkeys(view.scratch, WRITE | execute)
        if view.workspace not in view.scratch:
            rights[view.workspace] = (WRITE if policy.may_write else READ) | execute
        for path in view.listable:
            rights.setdefault(path, ACCESS_FS_READ_DIR)
        handled_net = Landlock.net_rights(self.abi)
        connect = handled_net & ACCESS_NET_CONNECT_TCP if policy.network else 0
        return {
            "rules": [(path, access & known) for path, access in rights.items()],
            "ports": [(PORT, connect)] if connect else [],
            "file_rights": Landlock.file_rights(self.abi),
            "handled_fs": known,
            "handled_net": handled_net,
            "scoped": Landlock.scopes(self.abi),
        }
