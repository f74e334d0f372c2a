"""Access tokens, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.change_counter import ChangeCounter
from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.jose.jwk_reader import key_id_of
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.key_sets.key_source import KeySource
from mcp_server.security.authentication.tokens.claims_reader import read_claims
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from mcp_server.security.authentication.tokens.revocation_list import RevocationList
from mcp_server.security.authentication.tokens.verified_token import VerifiedToken
from mcp_server.security.authentication.tokens.verified_token_cache import VerifiedTokenCache

MAX_TOKEN_BYTES: Final = 8 * 1024
"""What web servers take as one header line."""

_HEADER_MEMBERS: Final = ("alg", "kid", "typ")
# Source: RFC 9068, sections 2.1 and 4; media types are compared without regard to case (RFC 7515, section 4.1.9).
_TYPES: Final = frozenset(("at+jwt", "application/at+jwt"))
_UNTYPED: Final = frozenset((None, "jwt"))


class TokenVerifier:
    """Decide whether a text is an access token for this server, and what it says.

    1. *Form*: three segments of canonical base64url, ASCII, at most 8 KiB.
    2. *Header*: strict JSON with `alg`, `typ` and `kid` and nothing else; an access token by its `typ`.
    3. *Key*: the issuer's, by its id in that issuer's own set. The key decides the algorithm.
    4. *Signature*.
    5. *Claims*.
    6. *Revocation*, on every call, also of a token that is remembered.

    Nothing in a token is ever followed: no address, no key, no certificate that it brings. Whether somebody who shows a
    bound token also proves that it is his is for the authenticator to see to.

    Args:
        issuers: The issuers and where their keys come from.
        revocations: Returns the list in force; raises `LookupError` when it cannot be known.
        epoch: Counts changes of keys and revocations.
        cache: Remembers verified tokens.
        clock: Seconds since 1970.

    Source: RFC 8725, section 3; RFC 9068, section 4.

    >>> TokenVerifier(issuers=(), revocations=RevocationList, epoch=ChangeCounter(), clock=lambda: 0.0).verify("a.b.c")
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    def __init__(
        self,
        *,
        issuers: Iterable[tuple[IssuerRules, KeySource]],
        revocations: Callable[[], RevocationList],
        epoch: ChangeCounter,
        clock: Callable[[], float],
        cache: VerifiedTokenCache | None = None,
    ) -> None:
        self._issuers = {rules.issuer: (rules, source) for rules, source in issuers}
        self._revocations = revocations
        self._epoch = epoch
        self._clock = clock
        self._cache = VerifiedTokenCache() if cache is None else cache

    def verify(self, text: str) -> VerifiedToken:
        """Return what a token says.

        Raises:
            AuthenticationError: It is none of ours; why is for the audit.
        """
        now = self._clock()
        # Before anything is hashed or parsed.
        if len(text) > MAX_TOKEN_BYTES or not text.isascii():
            raise AuthenticationError("token: too long, or not ASCII")
        digest = sha256(text.encode("ascii")).digest()
        epoch = self._epoch.number
        token = self._cache.get(digest, epoch, now=now)
        if token is None:
            try:
                token = self._verify(text, now)
            except (ValueError, LookupError) as error:
                # The texts are our own: none of them repeats a part of the token.
                raise AuthenticationError(f"token: {error}") from None
            self._cache.put(digest, epoch, token)
        self.check_revocation(token)
        return token

    def check_revocation(self, token: VerifiedToken) -> None:
        """Return when the token was not taken back.

        Raises:
            AuthenticationError: It was, or nobody can tell.
        """
        try:
            self._revocations().check(token)
        except (ValueError, LookupError) as error:
            raise AuthenticationError(f"token: {error}") from None

    def _verify(self, text: str, now: float) -> VerifiedToken:
        # (1) Form.
        jws = CompactJWS.parse(text, max_bytes=MAX_TOKEN_BYTES)
        # (2) Header. Which types are accepted is the issuer's switch, so the claims are read for its name; they are
        # not believed before their signature is.
        jws.check_header(_HEADER_MEMBERS)
        claims = read_object(jws.payload)
        rules, source = self._issuer(claims)
        _check_type(jws.header, rules)
        # (3) Key.
        key_id = key_id_of(jws.header)
        try:
            key = source.keys().select(key_id)
        except LookupError:
            source.missed()
            raise
        # (4) Signature.
        jws.verify(key)
        # (5) Claims.
        return read_claims(claims, rules, now)

    def _issuer(self, claims: Mapping[str, Any]) -> tuple[IssuerRules, KeySource]:
        name = claims.get("iss")
        found = self._issuers.get(name) if isinstance(name, str) else None
        if found is None:
            raise ValueError("iss is no issuer of the policy")
        return found


def _check_type(header: Mapping[str, Any], rules: IssuerRules) -> None:
    kind = header.get("typ")
    kind = kind.lower() if isinstance(kind, str) else kind
    if kind is not None and not isinstance(kind, str):
        raise ValueError("typ is no text")
    if kind in _TYPES or (rules.allows_untyped and kind in _UNTYPED):
        return
    raise ValueError("typ is not that of an access token")
