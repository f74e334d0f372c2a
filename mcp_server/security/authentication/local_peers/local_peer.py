"""A process on this machine, held fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_server.security.authentication.peer_identity import PeerIdentity

if TYPE_CHECKING:
    from mcp_server.resources.kernel.pidfd import PidFd


@dataclass(frozen=True, slots=True)
class LocalPeer:
    """What was found out about a peer, and a descriptor of its process; a transport closes it with the connection.

    Args:
        identity: The facts.
        process: The process, None where the kernel gives no descriptor of it.

    >>> LocalPeer(PeerIdentity(uid=1000), None).close()
    """

    identity: PeerIdentity
    process: PidFd | None

    def close(self) -> None:
        """Let go of the process."""
        if self.process is not None:
            self.process.close()
