"""Tokens that are bound to a key, with proofs that are not their holder's: N-06 and N-07."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.replay_window import ReplayWindow
from tests.support.authentication_rig import AuthenticationRig, certificate, credentials
from tests.support.proofs import JKT, proof, shown
from tests.support.tokens import EC_KEY, ED_KEY, NOW, SECRET_KEY, token

TOKEN = token(cnf={"jkt": JKT})


@pytest.fixture
def rig() -> AuthenticationRig:
    return AuthenticationRig()


def show(**more: Any) -> dict[str, Any]:
    return {"is_dpop": True, "listener": ListenerRules(), **more}


def test_a_token_with_the_proof_of_its_holder(rig: AuthenticationRig) -> None:
    principal = rig.show(TOKEN, **show(proof=shown(proof(TOKEN))))
    assert (principal.client, principal.methods) == ("reporter", ("jwt", "dpop"))


PRIVATE_JWK = {name: EC_KEY.private_jwk()[name] for name in ("kty", "crv", "x", "y", "d")}
N06: dict[str, tuple[Callable[[], tuple[str, ...]], str]] = {
    "no proof": (lambda: (), "none, or more than one"),
    "two headers": (lambda: (proof(TOKEN), proof(TOKEN)), "none, or more than one"),
    "two headers in one": (lambda: (f"{proof(TOKEN)}, {proof(TOKEN)}",), "three segments|canonical"),
    "htu of another path": (lambda: (proof(TOKEN, htu="https://mcp.example/other"),), "htu"),
    "htu of another host": (lambda: (proof(TOKEN, htu="https://evil.example/mcp"),), "htu"),
    "htu missing": (lambda: (proof(TOKEN, htu=None),), "htu"),
    "htm of another method": (lambda: (proof(TOKEN, htm="GET"),), "htm"),
    "htm in lower case": (lambda: (proof(TOKEN, htm="post"),), "htm"),
    "stale": (lambda: (proof(TOKEN, iat=NOW - 301),), "too old"),
    "from the future": (lambda: (proof(TOKEN, iat=NOW + 61),), "future"),
    "iat a text": (lambda: (proof(TOKEN, iat=str(NOW)),), "iat"),
    "iat true": (lambda: (proof(TOKEN, iat=True),), "iat"),
    "no jti": (lambda: (proof(TOKEN, jti=None),), "jti"),
    "long jti": (lambda: (proof(TOKEN, jti="x" * 257),), "jti"),
    "ath of another token": (lambda: (proof(token()),), "ath"),
    "ath missing": (lambda: (proof(TOKEN, ath=None),), "ath"),
    "private key in jwk": (lambda: (proof(TOKEN, header={"jwk": PRIVATE_JWK}),), "private members"),
    "HS256": (lambda: (proof(TOKEN, SECRET_KEY),), "secret key"),
    "none": (lambda: (proof(TOKEN, header={"alg": "none"}),), "no allowed signature algorithm"),
    "alg of another key": (lambda: (proof(TOKEN, header={"alg": "EdDSA"}),), "does not fit"),
    "jwk missing": (lambda: (proof(TOKEN, header={"jwk": None}),), "no key"),
    "jwk a text": (lambda: (proof(TOKEN, header={"jwk": json.dumps(PRIVATE_JWK)}),), "no key"),
    "typ of a token": (lambda: (proof(TOKEN, header={"typ": "at+jwt"}),), "typ"),
    "typ missing": (lambda: (proof(TOKEN, header={"typ": None}),), "typ"),
    "kid and jku": (lambda: (proof(TOKEN, header={"jku": "https://evil.example"}),), "not allowed"),
    "another key": (lambda: (proof(TOKEN, ED_KEY),), "another key"),
    "large": (lambda: (proof(TOKEN, pad="x" * 8192),), "longer than"),
}


@pytest.mark.parametrize("name", N06)
def test_n06_each_is_refused(rig: AuthenticationRig, name: str) -> None:
    make, why = N06[name]
    # The time of the start is not what is tested here.
    rig.clock.now = NOW
    reason = rig.refusal(TOKEN, **show(proof=shown(*make())))
    assert reason.startswith("proof: ")
    assert any(each in reason for each in why.split("|")), reason


def test_n06_a_proof_is_good_once_on_every_connection(rig: AuthenticationRig) -> None:
    text = proof(TOKEN)
    rig.show(TOKEN, **show(proof=shown(text)))
    assert rig.refusal(TOKEN, **show(proof=shown(text), connection="c2")) == "proof: seen before"


def test_n06_a_proof_that_was_seen_is_seen_under_the_next_policy_too(rig: AuthenticationRig) -> None:
    from tests.support.authentication_rig import POLICY

    text = proof(TOKEN)
    rig.show(TOKEN, **show(proof=shown(text)))
    rig.replace(POLICY + "[client.another]\n")
    assert rig.refusal(TOKEN, **show(proof=shown(text))) == "proof: seen before"


def test_a_connection_that_lives_on_showed_its_proof_when_it_began(rig: AuthenticationRig) -> None:
    from tests.support.authentication_rig import POLICY

    connection = credentials(TOKEN, **show(proof=shown(proof(TOKEN))))
    rig.manager.authenticate(connection)
    rig.pass_time(300)
    rig.replace(POLICY + "[client.another]\n")
    assert rig.manager.authenticate(connection).methods == ("jwt", "dpop")
    rig.pass_time(400)
    assert rig.refusal_of(connection) == "token: expired"


@pytest.mark.parametrize(
    ("barrier", "attack"),
    [
        ("_check_request", lambda: (proof(token(), htm="GET", htu="https://evil.example/"),)),
        ("compare_digest", lambda: (proof(TOKEN, ED_KEY),)),
    ],
)
def test_n06_without_the_barrier_the_attack_succeeds(
    rig: AuthenticationRig, monkeypatch: pytest.MonkeyPatch, barrier: str, attack: Callable[[], tuple[str, ...]]
) -> None:
    rig.refusal(TOKEN, **show(proof=shown(*attack())))
    monkeypatch.setattr(f"mcp_server.security.authentication.dpop.proof_verifier.{barrier}", lambda *_: True)
    assert rig.show(TOKEN, **show(proof=shown(*attack()))).client == "reporter"


def test_n06_without_the_window_a_replay_succeeds(rig: AuthenticationRig, monkeypatch: pytest.MonkeyPatch) -> None:
    text = proof(TOKEN)
    rig.show(TOKEN, **show(proof=shown(text)))
    rig.refusal(TOKEN, **show(proof=shown(text)))
    monkeypatch.setattr(ReplayWindow, "admit", lambda *_: None)
    assert rig.show(TOKEN, **show(proof=shown(text))).client == "reporter"


def test_n06_without_the_signature_anybody_is_the_holder(
    rig: AuthenticationRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = proof(TOKEN)
    spoilt = text[:-20] + "AAAA" + text[-16:]
    assert rig.refusal(TOKEN, **show(proof=shown(spoilt))) == "proof: the signature is not this key's"
    rig.show(TOKEN, **show(proof=shown(proof(TOKEN))))  # the token is remembered from here on
    monkeypatch.setattr(CompactJWS, "verify", lambda self, key: None)
    assert rig.show(TOKEN, **show(proof=shown(spoilt))).client == "reporter"


def test_n07_a_bound_token_under_bearer_is_refused_with_a_proof_too(rig: AuthenticationRig) -> None:
    for more in ({}, {"proof": shown(proof(TOKEN))}):
        assert rig.refusal(TOKEN, **more) == "token: its scheme does not fit how it is bound"
    # And a token that is bound to nothing gains nothing by a proof.
    plain = token()
    assert "scheme" in rig.refusal(plain, **show(proof=shown(proof(plain))))


def test_a_token_that_is_bound_twice_takes_both(rig: AuthenticationRig) -> None:
    from tests.support.authentication_rig import thumbprint

    der = certificate()
    both = token(cnf={"jkt": JKT, "x5t#S256": thumbprint(der)})
    assert rig.show(both, **show(proof=shown(proof(both)), certificate=der)).methods == ("mtls", "jwt", "dpop")
    assert "certificate" in rig.refusal(both, **show(proof=shown(proof(both))))
    assert "proof" in rig.refusal(both, **show(certificate=der))


def test_a_refused_proof_is_not_repeated(rig: AuthenticationRig) -> None:
    text = proof(TOKEN, htm="GET")
    reason = rig.refusal(TOKEN, **show(proof=shown(text)))
    assert all(part not in reason for part in text.split("."))
