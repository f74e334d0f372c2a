"""Signatures over messages."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.messages.signature_mode import SignatureMode


class SignatureAuthenticator:
    """Take the key that a message was signed with, once the `MessageVerifier` has verified it.

    A signature names the token that the message goes with, so neither can be moved to another. Where signatures are
    demanded, a message without one is refused here too.

    >>> SignatureAuthenticator().examine(Credentials(transport="tcp"), None) is None
    True
    """

    kind = EvidenceKind.KEY

    def examine(self, credentials: Credentials, earlier: Evidence | None) -> Evidence | None:
        """Return whose key it is, None when the message is not signed.

        Raises:
            AuthenticationError: It is not signed and must be, or goes with another token.
        """
        signed = credentials.signed
        if signed is None:
            listener = credentials.listener
            if listener is not None and listener.signatures is SignatureMode.REQUIRE:
                raise AuthenticationError("signature: none, and one is demanded")
            return None
        token = credentials.token
        expected = None if token is None else encode_base64url(sha256(token.text.encode("utf-8")).digest())
        if expected is None or signed.token_digest is None:
            if expected != signed.token_digest:
                raise AuthenticationError("signature: it and the token do not go together")
        elif not compare_digest(expected, signed.token_digest):
            raise AuthenticationError("signature: it goes with another token")
        facts = frozenset({("id", signed.key_id), ("owner", signed.owner)})
        return Evidence(self.kind, facts, methods=("signature",), subject=f"key {signed.key_id}")
