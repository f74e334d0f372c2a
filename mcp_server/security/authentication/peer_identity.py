"""What the operating system says about the process at the other end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Kernel facts about a local peer; nothing the peer says about itself.

    Args:
        uid: The user id of the peer's process.
        pid: Its process id, None where the transport cannot tell. A label: the next process may wear it.
        program: The base name of its executable, for display only.
        executable: The path of its executable, where it was read of this very process and no later one of its number;
            None otherwise.

    >>> PeerIdentity(uid=1000, pid=4711).pid
    4711
    """

    uid: int
    pid: int | None = None
    program: str | None = None
    executable: str | None = None
