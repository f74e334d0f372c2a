from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.key_thumbprint import key_thumbprint
from tests.security.chain.fake_clock import FakeClock
from tests.support.proofs import JKT, proof, shown
from tests.support.tokens import ED_KEY, NOW, vector

TOKEN = "a.b.c"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def verifier(clock: FakeClock) -> ProofVerifier:
    return ProofVerifier.with_clock(clock)


def reason(verifier: ProofVerifier, *values: str, **options: Any) -> str:
    thumbprint = options.pop("key_thumbprint", JKT)
    with pytest.raises(AuthenticationError) as caught:
        verifier.verify(shown(*values, **options), token=TOKEN, key_thumbprint=thumbprint)
    return caught.value.reason


def test_a_good_proof_is_good_once(verifier: ProofVerifier) -> None:
    text = proof(TOKEN)
    verifier.verify(shown(text), token=TOKEN, key_thumbprint=JKT)
    assert reason(verifier, text) == "proof: seen before"


def test_the_published_digest_and_thumbprint() -> None:
    # Source: RFC 9449, sections 6.1 and 7.1.
    from hashlib import sha256

    values = vector("jose-rfcs", "small-values.json")["rfc9449"]
    assert encode_base64url(sha256(values["access_token"].encode()).digest()) == values["ath"]
    assert key_thumbprint(values["jwk"]) == values["jkt"]


def test_the_address_is_compared_in_its_normal_form(verifier: ProofVerifier) -> None:
    text = proof(TOKEN, htu="HTTPS://MCP.example:443/mcp?query#fragment")
    verifier.verify(shown(text), token=TOKEN, key_thumbprint=JKT)
    assert reason(verifier, text) == "proof: seen before"


@pytest.mark.parametrize("made_at", [NOW, NOW + 60])
def test_a_clock_that_differs_a_little_is_no_matter(verifier: ProofVerifier, made_at: int) -> None:
    verifier.verify(shown(proof(TOKEN, iat=made_at)), token=TOKEN, key_thumbprint=JKT)
    assert reason(verifier, proof(TOKEN, iat=NOW + 61)) == "proof: made in the future"


def test_a_replay_is_refused_for_as_long_as_the_proof_is_fresh(verifier: ProofVerifier, clock: FakeClock) -> None:
    text = proof(TOKEN)
    verifier.verify(shown(text), token=TOKEN, key_thumbprint=JKT)
    seen = set()
    for _ in range(50):
        clock.advance(10)
        seen.add(reason(verifier, text))
    assert seen == {"proof: seen before", "proof: too old"}


def test_nothing_is_remembered_of_a_proof_whose_signature_is_wrong(verifier: ProofVerifier) -> None:
    text = proof(TOKEN)
    spoilt = text[:-20] + "AAAA" + text[-16:]
    assert reason(verifier, spoilt) == "proof: the signature is not this key's"
    verifier.verify(shown(text), token=TOKEN, key_thumbprint=JKT)
    assert len(verifier._window._current) == 1


def test_another_key_of_the_same_holder_is_another_key(verifier: ProofVerifier) -> None:
    assert reason(verifier, proof(TOKEN, ED_KEY)) == "proof: by another key than the token's"
    verifier.verify(shown(proof(TOKEN, ED_KEY)), token=TOKEN, key_thumbprint=ED_KEY.verification_key().thumbprint)
