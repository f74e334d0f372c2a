"""Access tokens, and the proof that they are their holder's."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier
from mcp_server.security.authentication.tokens.verified_token import VerifiedToken


class TokenAuthenticator:
    """Verify a token, and that whoever shows it is the one it was issued to.

    A token that is bound to something must come with it: the certificate it names (`cnf.x5t#S256`), or a proof by the
    key it names (`cnf.jkt`), for which it comes under the scheme `DPoP`. One that is bound to nothing is a bearer's,
    and accepted only where the listener says so.

    Args:
        verifier: Judges the token itself.
        proofs: Judges proofs by keys.

    Source: RFC 8705, section 3; RFC 9449, section 7; RFC 7800, section 3.
    """

    kind = EvidenceKind.JWT

    def __init__(self, *, verifier: TokenVerifier, proofs: ProofVerifier) -> None:
        self._verifier = verifier
        self._proofs = proofs

    def examine(self, credentials: Credentials, earlier: Evidence | None) -> Evidence | None:
        """Return what the token says, None when none was shown.

        Raises:
            AuthenticationError: It is no good, was revoked, or is not the holder's who shows it.
        """
        presented = credentials.token
        if presented is None:
            return None
        token = self._verifier.verify(presented.text)
        if presented.is_dpop != (token.key_thumbprint is not None):
            raise AuthenticationError("token: its scheme does not fit how it is bound")
        if token.certificate_thumbprint is not None:
            _check_certificate(token.certificate_thumbprint, credentials.certificate)
        if token.key_thumbprint is not None and (earlier is None or earlier.bound_key != token.key_thumbprint):
            # A proof is good once: over a connection that lives on, it was shown when the connection began.
            self._proofs.verify(credentials.proof, token=presented.text, key_thumbprint=token.key_thumbprint)
        listener = credentials.listener
        if not token.is_bound and (listener is None or not listener.allows_bearer):
            raise AuthenticationError("token: bound to nothing, and this listener takes no bearer's tokens")
        return Evidence(
            self.kind,
            _facts(token),
            valid_until=token.expires_at,
            methods=("jwt",) if token.key_thumbprint is None else ("jwt", "dpop"),
            bound_certificate=token.certificate_thumbprint,
            bound_key=token.key_thumbprint,
            subject=f"{token.issuer} {token.subject}",
            scopes=token.scopes,
        )


def _facts(token: VerifiedToken) -> frozenset[tuple[str, str]]:
    named = {("issuer", token.issuer), ("subject", token.subject), ("client_id", token.client_id)}
    return frozenset(named | {("scope", each) for each in token.scopes})


def _check_certificate(thumbprint: str, certificate: bytes | None) -> None:
    """Refuse a token on a connection with another certificate than its own. Source: RFC 8705, section 3."""
    if certificate is None:
        raise AuthenticationError("token: bound to a certificate, and none was shown")
    shown = encode_base64url(sha256(certificate).digest())
    if not compare_digest(shown, thumbprint):
        raise AuthenticationError("token: bound to another certificate")
