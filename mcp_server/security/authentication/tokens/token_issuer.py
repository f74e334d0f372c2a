"""A small issuer of access tokens."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from typing import Any, Final

from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.tokens.claims_reader import read_claims
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from mcp_server.security.authentication.tokens.verified_token import VerifiedToken

TOKEN_ID_BYTES: Final = 16
"""128 random bits: two tokens never share an id."""


class TokenIssuer:
    """Make access tokens that the same rules accept, for an installation without an identity provider.

    It asks nobody for a password and decides nothing: whoever can run it with the private key is the operator.

    Args:
        rules: The issuer's rules in the policy.
        key: The private key.
        clock: Seconds since 1970.
        new_id: Makes the id of a token.

    Source: RFC 9068, sections 2 and 5.

    >>> rules = IssuerRules("home", issuer="https://desk.example", audience="https://mcp.example/mcp")
    >>> issuer = TokenIssuer(rules=rules, key=SigningKey.generate(), clock=lambda: 60.0)
    >>> text, token = issuer.issue(subject="ada", client_id="desk", lifetime_seconds=300)
    >>> token.subject, token.expires_at
    ('ada', 420)
    """

    def __init__(
        self,
        *,
        rules: IssuerRules,
        key: SigningKey,
        clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: secrets.token_hex(TOKEN_ID_BYTES),
    ) -> None:
        self._rules = rules
        self._key = key
        self._clock = clock
        self._new_id = new_id

    def issue(
        self,
        *,
        subject: str,
        client_id: str,
        lifetime_seconds: int,
        scopes: Iterable[str] = (),
        certificate_thumbprint: str | None = None,
        key_thumbprint: str | None = None,
    ) -> tuple[str, VerifiedToken]:
        """Return a token, and what it says.

        Args:
            subject: Whom it speaks for.
            client_id: Who will use it.
            lifetime_seconds: How long it lives, in seconds.
            scopes: What it is for.
            certificate_thumbprint: The client certificate it is bound to.
            key_thumbprint: The key for DPoP it is bound to.

        Raises:
            ValueError: The rules would not accept it: it lives too long, or a name or scope has the wrong form.
        """
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self._rules.issuer,
            "aud": self._rules.audience,
            "sub": subject,
            "client_id": client_id,
            "jti": self._new_id(),
            "iat": now,
            "exp": now + lifetime_seconds,
        }
        words = sorted(set(scopes))
        if words:
            claims["scope"] = " ".join(words)
        confirmation = {"x5t#S256": certificate_thumbprint, "jkt": key_thumbprint}
        if any(confirmation.values()):
            claims["cnf"] = {name: value for name, value in confirmation.items() if value is not None}
        # What is issued here is judged by the same rules as everybody's.
        token = read_claims(claims, self._rules, now)
        text = self._key.compact({"typ": "at+jwt"}, json.dumps(claims, separators=(",", ":")).encode("utf-8"))
        return text, token
