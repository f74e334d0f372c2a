"""The claims of an access token, each of the right type and within its bounds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.authentication.tokens.audience import canonical_audience
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from mcp_server.security.authentication.tokens.verified_token import VerifiedToken

MAX_NAME_BYTES: Final = 256
"""Longest `iss`, `sub`, `client_id` and `jti`; each goes into records and tables."""

_LATEST: Final = 2**40
"""Seconds; the year 36812. What is beyond is no time, and would overflow somebody's arithmetic."""

# Control, format (bidirectional and zero-width among them), surrogate, private use, unassigned, separators of lines.
_UNPRINTABLE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Source: RFC 6749, appendix A.4.
_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_CONFIRMATIONS: Final = ("jkt", "x5t#S256")


def read_name(claims: Mapping[str, Any], name: str) -> str:
    """Return a claim that names somebody or something.

    Raises:
        ValueError: It is missing, empty, too long, no text, or holds what cannot be seen.

    >>> read_name({"sub": "ada"}, "sub")
    'ada'
    """
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        raise ValueError(f"{name} is missing, empty, too long or no text")
    if not value.isascii():
        if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
            raise ValueError(f"{name} holds a character that cannot be seen")
    elif not value.isprintable():
        raise ValueError(f"{name} holds a control character")
    return value


def read_claims(claims: Mapping[str, Any], rules: IssuerRules, now: float) -> VerifiedToken:
    """Return what the claims of a token say, once all of it was checked.

    1. Names: `iss`, `sub`, `client_id`, `jti`.
    2. Times: `exp`, `iat` and `nbf`, whole numbers, in order and not too far apart.
    3. Audience.
    4. Scope, and nothing that would narrow it and that nobody here applies.
    5. Confirmation: whom the token is bound to.

    Args:
        claims: The members of the claims set; the signature was verified.
        rules: What is demanded of this issuer.
        now: Seconds since 1970.

    Raises:
        ValueError: A claim is missing, malformed or out of bounds.

    Source: RFC 9068, section 4; RFC 7519, section 4.1; RFC 8725, sections 3.8 to 3.12.
    """
    # (1) Names.
    issuer, subject, client_id, token_id = (read_name(claims, name) for name in ("iss", "sub", "client_id", "jti"))
    if issuer != rules.issuer:
        raise ValueError("iss is another issuer's")
    # (2) Times.
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    if not issued_at < expires_at <= issued_at + rules.max_lifetime_seconds:
        raise ValueError("exp is before iat, or too long after it")
    if issued_at > now + rules.leeway_seconds:
        raise ValueError("iat is in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + rules.leeway_seconds:
        raise ValueError("nbf is in the future")
    if not now < expires_at + rules.leeway_seconds:
        raise ValueError("expired")
    # (3) Audience.
    _check_audience(claims.get("aud"), rules)
    # (4) Scope.
    if "authorization_details" in claims:
        # Source: RFC 9396, section 2. It can only narrow; to leave it unread would be to widen.
        raise ValueError("authorization_details cannot be applied here")
    # (5) Confirmation.
    confirmation = _confirmation(claims)
    return VerifiedToken(
        issuer,
        subject,
        client_id,
        token_id,
        issued_at=issued_at,
        expires_at=expires_at + rules.leeway_seconds,
        scopes=_scopes(claims),
        certificate_thumbprint=confirmation.get("x5t#S256"),
        key_thumbprint=confirmation.get("jkt"),
    )


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    # `true` is an int in Python, and no time.
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise ValueError(f"{name} is missing or no time")
    return value


def _check_audience(audience: object, rules: IssuerRules) -> None:
    found = [audience] if isinstance(audience, str) else audience
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError("aud is missing or no text")
    named = [canonical_audience(each) for each in found]
    if rules.audience not in named:
        raise ValueError("aud names another server")
    if not rules.allows_other_audiences and set(named) != {rules.audience}:
        raise ValueError("aud names further servers")


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    if "scope" not in claims:
        return frozenset()
    scope = claims["scope"]
    if not isinstance(scope, str) or not (scope == "" or _SCOPE.fullmatch(scope)):
        raise ValueError("scope is no list of words")
    return frozenset(scope.split(" ")) if scope else frozenset()


def _confirmation(claims: Mapping[str, Any]) -> dict[str, str]:
    if "cnf" not in claims:
        return {}
    confirmation = claims["cnf"]
    if not isinstance(confirmation, dict) or not confirmation or not confirmation.keys() <= set(_CONFIRMATIONS):
        raise ValueError("cnf demands a proof that is not known here")
    for value in confirmation.values():
        if not isinstance(value, str) or not _THUMBPRINT.fullmatch(value):
            raise ValueError("cnf holds no thumbprint")
    return confirmation
