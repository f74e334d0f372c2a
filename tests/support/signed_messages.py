"""Both ends of signed messages, and a clock that a test moves."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
from mcp_server.security.authentication.messages.message_signer import MessageSigner
from mcp_server.security.authentication.messages.message_verifier import MessageVerifier
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from mcp_server.security.authentication.messages.signed_message import SignedMessage
from tests.security.chain.fake_clock import FakeClock
from tests.support.tokens import EC_KEY, ED_KEY, NOW, SECRET_KEY

SERVER = "mcp:desk"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "read_file", "arguments": {"path": "/data/a.txt"}},
}


def ring(**keys: SigningKey) -> MessageKeyRing:
    """Return whose keys there are, one each."""
    found = {}
    for owner, key in keys.items():
        verification = key.verification_key()
        found[owner] = InlineKeySource(KeySet({verification.key_id: verification}))
    return MessageKeyRing(found)


class SignedLine:
    """A client with a key, and a server that knows it.

    Args:
        key: The client's key.
        audience: What the server calls itself.
    """

    def __init__(self, key: SigningKey = ED_KEY, *, audience: str = SERVER) -> None:
        self.clock = FakeClock(NOW)
        self._numbers = count(1)
        self.keys = ring(ada=ED_KEY, eve=EC_KEY, mac=SECRET_KEY)
        self.signer = MessageSigner(
            key=key, audience=SERVER, clock=self.clock, new_id=lambda: f"id-{next(self._numbers):022d}"
        )
        self.verifier = MessageVerifier.with_clock(self.clock, keys=lambda: self.keys, audience=audience)

    def sign(self, message: Any = CALL, **bound: Any) -> dict[str, Any]:
        return self.signer.sign(message, **bound)[0]

    def verify(self, message: Any, mode: SignatureMode = SignatureMode.REQUIRE, **bound: Any) -> SignedMessage:
        verified = self.verifier.verify(message, mode=mode, **bound)
        assert verified is not None
        return verified

    def refusal(self, message: Any, mode: SignatureMode = SignatureMode.REQUIRE, **bound: Any) -> str:
        verify = self.verifier.verify_bytes if isinstance(message, bytes) else self.verifier.verify
        with pytest.raises(AuthenticationError) as caught:
            verify(message, mode=mode, **bound)
        assert str(caught.value) == "not authenticated"
        return caught.value.reason
