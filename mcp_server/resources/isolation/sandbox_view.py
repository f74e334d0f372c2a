"""Where things are for whoever is inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_server.resources.isolation.bubblewrap import PACKAGE, WORKSPACE, Bubblewrap


@dataclass(frozen=True, slots=True)
class SandboxView:
    """What of the files a run finds where, and which barriers are put up from inside because none stands outside.

    Args:
        workspace: Its working directory.
        scratch: Directories that it may write into, whatever its policy.
        readable: Files and directories that it may read, beside the system's.
        listable: Directories of which it may learn the names: those around what it may read.
        devices: Devices, or directories of them, that it may read and write.
        system: Directories that hold programs and libraries.
        hidden: Where the runner's own code is.
        environment: Its environment, before its policy adds to it.
        filters: System call filters that are not in place yet.
        shares_processes: Whether it is among the host's processes: nothing but the runner then ends what it starts.

    >>> SandboxView().workspace
    '/workspace'
    """

    workspace: str = WORKSPACE
    scratch: tuple[str, ...] = ("/tmp", "/dev/shm")  # noqa: S108 - inside, and nobody else's
    readable: tuple[str, ...] = ("/etc", "/proc")
    listable: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("/dev",)
    system: tuple[str, ...] = ("/usr",)
    hidden: str = PACKAGE
    environment: Mapping[str, str] = field(default_factory=Bubblewrap.environment)
    filters: tuple[bytes, ...] = ()
    shares_processes: bool = False
