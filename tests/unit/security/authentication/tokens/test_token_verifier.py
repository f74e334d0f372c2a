from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from mcp_server.security.authentication.tokens.revocation_list import RevocationList
from mcp_server.security.authentication.tokens.token_verifier import MAX_TOKEN_BYTES
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY, VerifierRig, claims, raw_token, token


def reason(rig: VerifierRig, text: str) -> str:
    with pytest.raises(AuthenticationError) as caught:
        rig.verifier.verify(text)
    assert str(caught.value) == "not authenticated"
    assert caught.value.__cause__ is None
    return caught.value.reason


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the keys whose signatures were computed."""
    seen: list[str] = []
    verify = VerificationKey.verify

    def counted(self: VerificationKey, signing_input: bytes, signature: bytes) -> None:
        seen.append(self.key_id)
        verify(self, signing_input, signature)

    monkeypatch.setattr(VerificationKey, "verify", counted)
    return seen


@pytest.mark.parametrize("key", [ED_KEY, EC_KEY, SECRET_KEY])
def test_a_good_token_is_verified_with_each_kind_of_key(key: Any) -> None:
    rig = VerifierRig(key)
    assert rig.verifier.verify(token(key)).subject == "reporter-7"


def test_the_newer_name_of_an_algorithm_is_the_same_algorithm() -> None:
    header = json.dumps({"alg": "Ed25519", "kid": "as-ed-1", "typ": "at+jwt"}).encode()
    assert VerifierRig().verifier.verify(raw_token(header, json.dumps(claims()).encode())).client_id == "desk"


def test_a_token_is_verified_once_and_judged_each_time(signatures: list[str]) -> None:
    rig = VerifierRig()
    text = token()
    first = rig.verifier.verify(text)
    assert rig.verifier.verify(text) is first
    assert signatures == ["as-ed-1"]
    rig.clock.now = first.expires_at
    assert reason(rig, text) == "token: expired"


def test_a_change_of_keys_verifies_anew(signatures: list[str]) -> None:
    rig = VerifierRig()
    rig.verifier.verify(token())
    rig.epoch.advance()
    rig.verifier.verify(token())
    assert signatures == ["as-ed-1", "as-ed-1"]


def test_what_was_refused_is_not_remembered(signatures: list[str]) -> None:
    rig = VerifierRig()
    text = token(exp=1)
    assert reason(rig, text) == reason(rig, text)
    assert len(signatures) == 2
    assert len(rig.verifier._cache) == 0


def test_the_text_of_a_token_is_not_kept() -> None:
    rig = VerifierRig()
    text = token()
    rig.verifier.verify(text)
    assert text not in repr(rig.verifier._cache._entries)


def test_a_list_that_cannot_be_known_refuses_everybody() -> None:
    rig = VerifierRig()

    def unknown() -> RevocationList:
        raise LookupError("the revocation list cannot be read")

    rig.verifier.verify(token())
    rig.verifier._revocations = unknown
    assert reason(rig, token()) == "token: the revocation list cannot be read"


def test_an_untyped_token_takes_the_issuers_switch() -> None:
    for header, strict, loose in (
        ({"typ": "JWT"}, False, True),
        ({}, False, True),
        ({"typ": "AT+JWT"}, True, True),
        ({"typ": "dpop+jwt"}, False, False),
        ({"typ": 7}, False, False),
    ):
        for rig, accepts in ((VerifierRig(), strict), (VerifierRig(allows_untyped=True), loose)):
            if accepts:
                assert rig.verifier.verify(token(header=header)).token_id == "t-1"
            else:
                assert "typ" in reason(rig, token(header=header))


def test_the_size_is_bounded_before_anything_is_parsed() -> None:
    rig = VerifierRig()
    room = MAX_TOKEN_BYTES - len(token(pad=""))
    fits = token(pad="x" * (room * 3 // 4 - 8))
    assert MAX_TOKEN_BYTES - 16 < len(fits) <= MAX_TOKEN_BYTES
    assert rig.verifier.verify(fits)
    assert "too long" in reason(rig, token(pad="x" * MAX_TOKEN_BYTES))


def test_a_missing_key_is_told_to_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = VerifierRig()
    missed: list[int] = []
    monkeypatch.setattr(type(rig.source), "missed", lambda self: missed.append(1))
    assert reason(rig, token(EC_KEY)) == "token: no key of this id"
    assert missed == [1]
