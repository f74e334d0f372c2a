"""What a connection can show for itself."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.authentication.peer_identity import PeerIdentity


@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """Evidence of who calls, collected by a transport and judged by the `AuthenticationManager`.

    One object a connection: two of them are never equal, and looking one up costs no comparison of its fields.

    The protocol's `clientInfo` is not here: it is a claim, shown and logged, never believed.

    Args:
        transport: The transport's name, such as `stdio`.
        profile: The client name the operator gave on the command line, where the transport has one.
        peer: What the kernel says about the other end.
        connection: An id of the connection, for the audit.

    >>> Credentials(transport="stdio", profile="local").profile
    'local'
    """

    transport: str
    profile: str | None = None
    peer: PeerIdentity | None = None
    connection: str = ""
