"""What a connection can show for itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp_server.security.authentication.peer_identity import PeerIdentity

if TYPE_CHECKING:
    # What stdio has nothing of, and its start is quicker without.
    from mcp_server.security.authentication.listener_rules import ListenerRules
    from mcp_server.security.authentication.messages.signed_message import SignedMessage
    from mcp_server.security.authentication.presented_proof import PresentedProof
    from mcp_server.security.authentication.presented_token import PresentedToken


@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """Evidence of who calls, collected by a transport and judged by the `AuthenticationManager`.

    One object a connection: two of them are never equal, and looking one up costs no comparison of its fields. Where
    each request brings evidence of its own, as over HTTP, it is one object a request. Whoever made it has the
    `AuthenticationManager` forget it when the connection, or the request, is over.

    The protocol's `clientInfo` is not here: it is a claim, shown and logged, never believed.

    Args:
        transport: The transport's name, such as `stdio`.
        profile: The client name the operator gave on the command line, where the transport has one.
        peer: What the kernel says about the other end.
        connection: An id of the connection, for the audit.
        token: The access token that was shown.
        proof: The proof that the token is its holder's, for a token that demands one.
        certificate: The client's certificate, DER, from our own TLS socket and no header. TLS has verified it.
        signed: The message, when it was signed and the signature was verified. Then there is one object a message.
        source: Where it comes from, an address or another name that the peer cannot choose; failures are counted by it.
        listener: What the listener demands; None for one that demands nothing, and takes no bearer's tokens.

    >>> Credentials(transport="stdio", profile="local").profile
    'local'
    """

    transport: str
    profile: str | None = None
    peer: PeerIdentity | None = None
    connection: str = ""
    token: PresentedToken | None = field(default=None, repr=False)
    proof: PresentedProof | None = None
    certificate: bytes | None = field(default=None, repr=False)
    signed: SignedMessage | None = None
    source: str = ""
    listener: ListenerRules | None = None

    @property
    def shows_nothing(self) -> bool:
        """Whether there is only what the operator and the kernel say, and the listener demands no more."""
        return self.token is None and self.certificate is None and self.signed is None and self.listener is None
