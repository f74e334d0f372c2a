from __future__ import annotations

from hashlib import sha256

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.authenticators.signature_authenticator import SignatureAuthenticator
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from mcp_server.security.authentication.messages.signed_message import SignedMessage
from tests.support.authentication_rig import credentials

PLAIN = SignedMessage("ada", "key-1", {}, digest="d")
BOUND = SignedMessage("ada", "key-1", {}, "d", encode_base64url(sha256(b"a.b.c").digest()))


def test_a_key_is_evidence_of_its_owner() -> None:
    found = SignatureAuthenticator().examine(credentials(signed=PLAIN), None)
    assert found is not None
    assert found.facts == {("id", "key-1"), ("owner", "ada")}
    assert SignatureAuthenticator().examine(credentials(signed=BOUND, text="a.b.c"), None) == found
    assert SignatureAuthenticator().examine(credentials(), None) is None


@pytest.mark.parametrize(
    ("signed", "token"), [(PLAIN, "a.b.c"), (BOUND, None), (BOUND, "a.b.d")], ids=["none", "no token", "another"]
)
def test_a_signature_and_its_token_are_not_parted(signed: SignedMessage, token: str | None) -> None:
    with pytest.raises(AuthenticationError) as caught:
        SignatureAuthenticator().examine(credentials(token, signed=signed), None)
    assert caught.value.reason.startswith("signature: it")


def test_where_signatures_are_demanded_there_must_be_one() -> None:
    for mode in SignatureMode:
        shown = credentials(listener=ListenerRules(signatures=mode))
        if mode is SignatureMode.REQUIRE:
            with pytest.raises(AuthenticationError):
                SignatureAuthenticator().examine(shown, None)
        else:
            assert SignatureAuthenticator().examine(shown, None) is None
