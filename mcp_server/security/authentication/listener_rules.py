"""What one listener demands of whoever connects to it."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.messages.signature_mode import SignatureMode


@dataclass(frozen=True, slots=True)
class ListenerRules:
    """The evidence that a listener demands; a transport has one of these for each of its listeners.

    Args:
        require: Kinds of evidence of which all must be there, and lead to the same client.
        allows_bearer: Accept a token that whoever stole it can use as well. Without it, a token must be bound to a
            client certificate or to a key.
        signatures: Whether messages are signed.

    >>> ListenerRules().allows_bearer
    False
    """

    require: frozenset[EvidenceKind] = frozenset()
    allows_bearer: bool = False
    signatures: SignatureMode = SignatureMode.OFF
