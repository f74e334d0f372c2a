"""One way of recognising a peer."""

from __future__ import annotations

from typing import Protocol

from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind


class Authenticator(Protocol):
    """Turn one kind of credentials into evidence.

    It knows no client: which evidence amounts to which client is written in the policy.

    >>> from mcp_server.security.authentication.authenticators.certificate_authenticator import CertificateAuthenticator
    >>> authenticator: Authenticator = CertificateAuthenticator(clock=lambda: 0.0)
    >>> authenticator.examine(Credentials(transport="tcp"), None) is None
    True
    """

    @property
    def kind(self) -> EvidenceKind:
        """What kind of evidence it finds."""
        ...

    def examine(self, credentials: Credentials, earlier: Evidence | None) -> Evidence | None:
        """Return what the credentials prove, None when they hold nothing of this kind.

        Args:
            credentials: What was shown.
            earlier: What the same object proved before, when it is examined again.

        Raises:
            AuthenticationError: They hold something of this kind, and it is no good.
        """
        ...
