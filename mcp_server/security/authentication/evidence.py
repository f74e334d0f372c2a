"""What one authenticator found out about a peer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mcp_server.security.authentication.evidence_kind import EvidenceKind


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts about a peer that were verified; none of them is a right, or a client, by itself.

    Args:
        kind: How they were found out.
        facts: Pairs of a fact's name and its value, such as `("subject", "reporter-7")`.
        valid_until: How long they hold, in seconds since 1970.
        methods: How the peer was recognised, for the audit.
        bound_certificate: The thumbprint of the client certificate that this evidence was confirmed with.
        bound_key: The thumbprint of the key that this evidence was confirmed with.
        subject: Whom it speaks of, for the audit.
        scopes: What a token was issued for, None where there is no token.

    >>> Evidence(EvidenceKind.MTLS, frozenset({("san_uri", "spiffe://example/reporter")})).valid_until
    inf
    """

    kind: EvidenceKind
    facts: frozenset[tuple[str, str]]
    valid_until: float = math.inf
    methods: tuple[str, ...] = ()
    bound_certificate: str | None = None
    bound_key: str | None = None
    subject: str | None = None
    scopes: frozenset[str] | None = None
