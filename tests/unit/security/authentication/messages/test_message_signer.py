from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.detached_jws import DetachedJWS
from mcp_server.security.authentication.messages.message_form import signature_of
from mcp_server.security.authentication.messages.message_signer import MessageSigner
from mcp_server.security.authentication.messages.message_verifier import digest_of
from tests.support.signed_messages import CALL, SERVER, SignedLine
from tests.support.tokens import ED_KEY, NOW


def test_the_header_says_what_is_needed_and_no_more() -> None:
    message, digest = SignedLine().signer.sign(CALL)
    text = signature_of(message)
    assert text is not None
    assert DetachedJWS.parse(text, max_bytes=4096).header == {
        "alg": "EdDSA",
        "kid": "as-ed-1",
        "b64": False,
        "crit": ["b64"],
        "typ": "mcp-msg+jws",
        "iat": NOW,
        "jti": "id-0000000000000000000001",
        "aud": SERVER,
    }
    assert digest == digest_of(text)


def test_each_signature_has_an_id_of_its_own() -> None:
    signer = MessageSigner(key=ED_KEY, audience=SERVER, clock=lambda: float(NOW))
    headers = [
        DetachedJWS.parse(signature_of(signer.sign(CALL)[0]) or "", max_bytes=4096).header["jti"] for _ in range(9)
    ]
    assert len(set(headers)) == 9
    assert {len(each) for each in headers} == {22}


def test_a_message_that_cannot_be_signed_is_not_sent_unsigned() -> None:
    for message in ({"method": "m", "params": {"x": 2**53}}, {"result": "text"}, {"result": {"x": float("nan")}}):
        with pytest.raises(ValueError, match=r"2\^53|no object|NaN"):
            SignedLine().signer.sign(message)
