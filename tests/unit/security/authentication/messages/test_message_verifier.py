from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.authentication.messages.message_form import signature_of
from mcp_server.security.authentication.messages.message_verifier import digest_of
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from tests.support.signed_messages import CALL, SignedLine
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY


@pytest.mark.parametrize(("key", "owner"), [(ED_KEY, "ada"), (EC_KEY, "eve"), (SECRET_KEY, "mac")])
def test_a_signed_message_is_its_owners(key: Any, owner: str) -> None:
    line = SignedLine(key)
    message = line.sign()
    verified = line.verify(message)
    assert (verified.owner, verified.key_id) == (owner, key.key_id)
    assert verified.message == {**CALL, "params": {**CALL["params"], "_meta": {}}}  # type: ignore[dict-item]
    assert verified.digest == digest_of(signature_of(message) or "")


def test_what_was_verified_is_what_runs() -> None:
    line = SignedLine()
    message = line.sign({"id": 1, "method": "m", "params": {"a": 1.0, "b": 1e21, "c": -0.0}})
    params = line.verify(message).message["params"]
    assert (repr(params["a"]), params["b"], repr(params["c"])) == ("1", 1e21, "0")


def test_what_is_off_is_not_looked_at() -> None:
    line = SignedLine()
    for message in (CALL, line.sign(), {"method": "m", "params": {"_meta": {"dev.mcpserver/sig": "nonsense"}}}):
        assert line.verifier.verify(message, mode=SignatureMode.OFF) is None
    assert line.verifier.verify(CALL, mode=SignatureMode.ACCEPT) is None
    assert line.verify(line.sign(), SignatureMode.ACCEPT).owner == "ada"


def test_a_message_is_fresh_for_a_minute() -> None:
    line = SignedLine()
    first, second = line.sign(), line.sign()
    line.clock.advance(60)
    assert line.verify(first).owner == "ada"
    line.clock.advance(1)
    assert line.refusal(second) == "signature: too old"


def test_bytes_are_read_strictly() -> None:
    import json

    line = SignedLine()
    data = json.dumps(line.sign()).encode()
    verified = line.verifier.verify_bytes(data, mode=SignatureMode.REQUIRE)
    assert verified is not None
    assert verified.owner == "ada"
    assert line.refusal(b"[]") == "message: no JSON object"
    assert "longer than" in line.refusal(b" " * (4 * 1024 * 1024 + 1))
