"""DPoP proofs, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.dpop.request_target import canonical_target
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from mcp_server.security.authentication.presented_proof import PresentedProof
from mcp_server.security.authentication.replay_window import ReplayWindow

MAX_PROOF_BYTES: Final = 8 * 1024
SECONDS_BACK: Final = 300
"""How old a proof may be. Source: the conformance suite of MCP for SEP-1932: within five minutes."""
SECONDS_AHEAD: Final = 60
"""How far two clocks may differ."""
MAX_ID_CHARACTERS: Final = 256

_HEADER_MEMBERS: Final = ("alg", "jwk", "typ")
_TYPE: Final = "dpop+jwt"


class ProofVerifier:
    """Decide whether a request was made by whoever holds the key that its token is bound to.

    1. There is one proof, in form a compact JWS of bounded size.
    2. Its header has `typ` `dpop+jwt`, an allowed asymmetric `alg`, and a public `jwk` that goes with it.
    3. That key is the one the token names.
    4. It is about this request: method, address and token.
    5. It is fresh.
    6. Its signature is that key's.
    7. It was not seen before. Last, so that only the holder of the key can make this server remember anything.

    Nonces of the server are optional in the standard, and not used: what was made before the start is refused instead.

    Args:
        window: What was seen before.

    Source: RFC 9449, section 4.3.

    >>> window = ReplayWindow(seconds_back=300, seconds_ahead=60, clock=lambda: 0.0)
    >>> proof = PresentedProof((), method="POST", target="https://mcp.example/mcp")
    >>> ProofVerifier(window=window).verify(proof, token="a.b.c", key_thumbprint="")
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    def __init__(self, *, window: ReplayWindow) -> None:
        self._window = window

    @classmethod
    def with_clock(cls, clock: Callable[[], float]) -> ProofVerifier:
        """Return a verifier with a window of the usual size.

        Args:
            clock: Seconds since 1970, never running backwards.
        """
        return cls(window=ReplayWindow(seconds_back=SECONDS_BACK, seconds_ahead=SECONDS_AHEAD, clock=clock))

    def verify(self, proof: PresentedProof | None, *, token: str, key_thumbprint: str) -> None:
        """Return when the proof is good for this request and token.

        Args:
            proof: What was shown, None for nothing.
            token: The token's text; it was verified.
            key_thumbprint: The key that the token is bound to, `cnf.jkt`.

        Raises:
            AuthenticationError: It is not.
        """
        if proof is None or len(proof.values) != 1:
            raise AuthenticationError("proof: none, or more than one")
        try:
            self._verify(proof.values[0], proof, token, key_thumbprint)
        except ValueError as error:
            # The texts are our own: none of them repeats a part of the proof.
            raise AuthenticationError(f"proof: {error}") from None

    def _verify(self, text: str, proof: PresentedProof, token: str, key_thumbprint: str) -> None:
        # (1) Form.
        jws = CompactJWS.parse(text, max_bytes=MAX_PROOF_BYTES)
        # (2) Header.
        jws.check_header(_HEADER_MEMBERS)
        key = _key(jws.header)
        # (3) Key.
        if not compare_digest(key.thumbprint, key_thumbprint):
            raise ValueError("by another key than the token's")
        # (4) Request.
        claims = read_object(jws.payload)
        _check_request(claims, proof, token)
        # (5) Time.
        identity, made_at = claims.get("jti"), claims.get("iat")
        if not isinstance(identity, str) or not 0 < len(identity) <= MAX_ID_CHARACTERS:
            raise ValueError("jti is missing, empty, too long or no text")
        if type(made_at) is not int:
            raise ValueError("iat is missing or no time")
        self._window.check_time(made_at)
        # (6) Signature.
        jws.verify(key)
        # (7) Replay.
        self._window.admit(key.thumbprint, identity, made_at)


def _key(header: Mapping[str, Any]) -> VerificationKey:
    if header.get("typ") != _TYPE:
        raise ValueError("typ is not that of a proof")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise ValueError("the header has no key")
    # The header's algorithm must be one that goes with the key; the signature covers both. Secrets are refused.
    return VerificationKey.from_jwk({**jwk, "alg": header.get("alg")})


def _check_request(claims: Mapping[str, Any], proof: PresentedProof, token: str) -> None:
    if claims.get("htm") != proof.method:
        raise ValueError("htm is another method")
    target = claims.get("htu")
    if not isinstance(target, str) or canonical_target(target) != canonical_target(proof.target):
        raise ValueError("htu is another address")
    digest = claims.get("ath")
    expected = encode_base64url(sha256(token.encode("ascii")).digest())
    if not isinstance(digest, str) or not digest.isascii() or not compare_digest(digest, expected):
        raise ValueError("ath is another token's")
