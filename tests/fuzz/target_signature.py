"""Signed messages: bytes are refused, or they say exactly what the holder of the key signed."""

from __future__ import annotations

import json

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.authentication.messages.message_form import signed_part
from mcp_server.security.authentication.messages.message_verifier import MessageVerifier
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from tests.support.signed_messages import CALL, SERVER, SignedLine

name = "signature"

_LINE = SignedLine()
_MESSAGES = (CALL, {"method": "n", "params": {"_meta": {"é": [1.5, 2, None]}}}, {"id": 1, "error": {"code": 1}})
corpus = tuple(json.dumps(_LINE.sign(message)).encode() for message in _MESSAGES)
_SAID = {canonical_json(signed_part(message)) for message in _MESSAGES}


def run(data: bytes) -> None:
    """Verify the input as a message."""
    verifier = MessageVerifier.with_clock(_LINE.clock, keys=lambda: _LINE.keys, audience=SERVER)
    try:
        verified = verifier.verify_bytes(data, mode=SignatureMode.REQUIRE)
    except AuthenticationError:
        return
    assert verified is not None
    assert canonical_json(verified.message) in _SAID
