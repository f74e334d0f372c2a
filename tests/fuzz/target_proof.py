"""Proofs of possession: a text is refused, or it is one that the holder of the key signed for this request."""

from __future__ import annotations

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
from mcp_server.security.authentication.dpop.request_target import canonical_target
from tests.security.chain.fake_clock import FakeClock
from tests.support.proofs import JKT, TARGET, proof, shown
from tests.support.tokens import NOW

name = "proof"

_TOKEN = "a.b.c"
_GOOD = (proof(_TOKEN), proof(_TOKEN, iat=NOW + 5, nonce="n"))
corpus = (*(each.encode() for each in _GOOD), TARGET.encode(), b"https://[::1]:8443/a%2Fb/~c?d#e")


def run(data: bytes) -> None:
    """Show the input as a proof, and compare it as an address."""
    text = data.decode("utf-8", "replace")
    try:
        ProofVerifier.with_clock(FakeClock(NOW)).verify(shown(text), token=_TOKEN, key_thumbprint=JKT)
    except AuthenticationError:
        pass
    else:
        assert text in _GOOD
    try:
        target = canonical_target(text)
    except ValueError:
        return
    assert canonical_target(target) == target
    assert target.isascii()
    assert target.startswith(("https://", "http://"))
