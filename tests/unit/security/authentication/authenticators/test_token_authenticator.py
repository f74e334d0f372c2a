from __future__ import annotations

from mcp_server.security.authentication.authenticators.token_authenticator import TokenAuthenticator
from mcp_server.security.authentication.dpop.proof_verifier import ProofVerifier
from tests.support.authentication_rig import certificate, credentials, thumbprint
from tests.support.tokens import ISSUER, NOW, VerifierRig, token


def authenticator() -> TokenAuthenticator:
    rig = VerifierRig()
    return TokenAuthenticator(verifier=rig.verifier, proofs=ProofVerifier.with_clock(rig.clock))


def test_what_the_token_says_are_facts() -> None:
    der = certificate()
    found = authenticator().examine(credentials(token(cnf={"x5t#S256": thumbprint(der)}), certificate=der), None)
    assert found is not None
    assert found.facts == {
        ("issuer", ISSUER),
        ("subject", "reporter-7"),
        ("client_id", "desk"),
        ("scope", "notes.read"),
        ("scope", "notes.write"),
    }
    assert (found.valid_until, found.bound_certificate) == (NOW + 660, thumbprint(der))
    assert found.scopes == {"notes.read", "notes.write"}


def test_without_a_token_there_is_no_evidence() -> None:
    assert authenticator().examine(credentials(), None) is None
