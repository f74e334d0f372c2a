"""What of a sandbox is decided when it is made."""

from __future__ import annotations

from typing import NamedTuple

from mcp_server.resources.isolation.bubblewrap import WORKSPACE


class SandboxShape(NamedTuple):
    """What cannot be changed any more once a sandbox stands; what it runs comes later.

    Sandboxes of one shape without a workspace can be made before anybody needs them.

    Args:
        tmp_bytes: Room in `/tmp`, and in the workspace where it is empty.
        workspace: An open descriptor of the workspace, None for an empty one.
        may_write: Whether the workspace is writable.
        owner: The user and group it runs as on the host, None for the server's own.
        has_network: Whether what runs in it may reach something.
        workspace_path: Where the workspace is found inside.
        code: Files and directories of the host that it may read, each found inside under its own name.

    >>> SandboxShape(1 << 20).may_write
    False
    """

    tmp_bytes: int
    workspace: int | None = None
    may_write: bool = False
    owner: tuple[int, int] | None = None
    has_network: bool = False
    workspace_path: str = WORKSPACE
    code: tuple[str, ...] = ()
