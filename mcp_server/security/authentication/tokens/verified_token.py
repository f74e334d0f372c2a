"""What a token said, once it was verified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims of a verified token that anything is decided by; the token's text is not kept.

    The principal key is the pair of `issuer` and `subject`. An address of mail, a name or anything else that an issuer
    may give to somebody else tomorrow is not here.

    Args:
        issuer: `iss`.
        subject: `sub`.
        client_id: `client_id`.
        token_id: `jti`.
        issued_at: `iat`, in seconds since 1970.
        expires_at: The last moment at which it is accepted, leeway included, in seconds since 1970.
        scopes: The words of `scope`.
        certificate_thumbprint: `cnf.x5t#S256`: the client certificate it is bound to.
        key_thumbprint: `cnf.jkt`: the key for DPoP it is bound to.

    Source: RFC 9068, section 2.2; RFC 7800, section 3.1; RFC 8705, section 3.1; RFC 9449, section 6.1.

    >>> token = VerifiedToken("https://as.example", "ada", "desk", "t1", issued_at=0, expires_at=60)
    >>> token.is_bound
    False
    """

    issuer: str
    subject: str
    client_id: str
    token_id: str
    issued_at: int
    expires_at: int
    scopes: frozenset[str] = frozenset()
    certificate_thumbprint: str | None = None
    key_thumbprint: str | None = None

    @property
    def is_bound(self) -> bool:
        """Whether only its rightful holder can use it, so that a stolen copy is worth nothing."""
        return self.certificate_thumbprint is not None or self.key_thumbprint is not None
