"""Which tokens and certificates are not accepted any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mcp_server.security.authentication.tokens.verified_token import VerifiedToken

FOR_GOOD: Final = 2**53
"""A moment that no token is issued after."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """Tokens that were taken back before their time, by the token, by whom they speak for, or by when they were issued.

    Never by a token's text: a signature may have more than one valid spelling.

    Args:
        tokens: Pairs of issuer and `jti`, and until when they need to be remembered, in seconds since 1970.
        subjects: Pairs of issuer and `sub`; tokens issued until the moment beside them are not accepted.
        clients: Pairs of issuer and `client_id`, in the same way.
        issuers: Issuers, in the same way.
        certificates: SHA-256 of the public keys of client certificates, hexadecimal, so that a renewal does not help.

    >>> token = VerifiedToken("https://as.example", "ada", "desk", "t1", issued_at=5, expires_at=60)
    >>> RevocationList().check(token)
    >>> RevocationList(subjects={("https://as.example", "ada"): 5}).check(token)
    Traceback (most recent call last):
    ValueError: revoked by its subject
    """

    tokens: Mapping[tuple[str, str], int] = field(default_factory=dict)
    subjects: Mapping[tuple[str, str], int] = field(default_factory=dict)
    clients: Mapping[tuple[str, str], int] = field(default_factory=dict)
    issuers: Mapping[str, int] = field(default_factory=dict)
    certificates: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("tokens", "subjects", "clients", "issuers"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def check(self, token: VerifiedToken) -> None:
        """Return when the token was not revoked.

        Raises:
            ValueError: It was; the text says by what.
        """
        if (token.issuer, token.token_id) in self.tokens:
            raise ValueError("revoked")
        for table, key, what in (
            (self.subjects, (token.issuer, token.subject), "its subject"),
            (self.clients, (token.issuer, token.client_id), "its client"),
        ):
            if token.issued_at <= table.get(key, -1):
                raise ValueError(f"revoked by {what}")
        if token.issued_at <= self.issuers.get(token.issuer, -1):
            raise ValueError("revoked by its issuer")

    def check_certificate(self, key_digest: str) -> None:
        """Return when the certificates with this public key were not revoked.

        Raises:
            ValueError: They were.
        """
        if key_digest in self.certificates:
            raise ValueError("revoked")
