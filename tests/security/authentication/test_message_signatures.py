"""Signatures over messages: N-15 to N-24, the vectors of another stack, and what is not fallen back to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.authentication.jose.detached_jws import DetachedJWS
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.messages import message_verifier
from mcp_server.security.authentication.messages.message_form import SIGNATURE_MEMBER, signature_of, signed_part
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
from mcp_server.security.authentication.messages.message_signer import MessageSigner
from mcp_server.security.authentication.messages.message_verifier import MessageVerifier, digest_of
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from mcp_server.security.authentication.replay_window import ReplayWindow
from tests.security.chain.fake_clock import FakeClock
from tests.support.authentication_rig import AuthenticationRig, credentials
from tests.support.signed_messages import CALL, SERVER, SignedLine, ring
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY, vector

VECTORS = vector("message-signing", "vectors.json")
CASES = VECTORS["cases"]


def vector_verifier() -> MessageVerifier:
    keys = [SigningKey.from_jwk({**jwk}).verification_key() for jwk in VECTORS["keys"]]
    keys_of = {f"client-{at}": InlineKeySource(KeySet({key.key_id: key})) for at, key in enumerate(keys)}
    return MessageVerifier.with_clock(
        FakeClock(VECTORS["now"]),
        keys=lambda: MessageKeyRing(keys_of),
        audience=VECTORS["audience"],
        member=VECTORS["sig_member"],
    )


@pytest.mark.parametrize("case", [each for each in CASES if each["valid"]], ids=lambda each: each["name"])
def test_what_another_stack_signed_is_verified(case: dict[str, Any]) -> None:
    verified = vector_verifier().verify(
        case["message"], mode=SignatureMode.REQUIRE, request_digest=case["protected"].get("req")
    )
    assert verified is not None
    assert canonical_json(verified.message).decode() == case["canonical_payload"]
    assert verified.token_digest == case["protected"].get("ath")


@pytest.mark.parametrize(
    "case", [each for each in CASES if each["valid"] and each["alg"] != "ES256"], ids=lambda each: each["name"]
)
def test_what_another_stack_signed_is_signed_alike(case: dict[str, Any]) -> None:
    """But for the order of the header's members, which each stack has its own."""
    jwk = next(each for each in VECTORS["keys"] if each["kid"] == case["protected"]["kid"])
    key = SigningKey.from_jwk(jwk)
    member = VECTORS["sig_member"]
    text = signature_of(case["message"], member)
    assert text is not None
    protected, _, signature = text.split(".")
    from mcp_server.security.authentication.jose.base64url import encode_base64url

    payload = canonical_json(signed_part(case["message"], member))
    assert encode_base64url(key.sign(f"{protected}.".encode() + payload)) == signature
    signer = MessageSigner(
        key=key,
        audience=VECTORS["audience"],
        clock=FakeClock(VECTORS["now"]),
        new_id=lambda: str(case["protected"]["jti"]),
        member=member,
    )
    bound = {"request_digest": case["protected"].get("req"), "token_digest": case["protected"].get("ath")}
    made = signature_of(signer.sign(signed_part(case["message"], member), **bound)[0], member)
    assert DetachedJWS.parse(made or "", max_bytes=4096).header == case["protected"]


@pytest.mark.parametrize("case", [each for each in CASES if not each["valid"]], ids=lambda each: each["name"])
def test_n15_the_invalid_vectors(case: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError) as caught:
        vector_verifier().verify(case["message"], mode=SignatureMode.REQUIRE)
    assert caught.value.reason.startswith("signature: ")


def test_the_vectors_are_whole() -> None:
    assert [each["valid"] for each in CASES].count(False) == 18
    assert len(CASES) == 54


def test_n16_a_replay_is_refused_wherever_it_comes() -> None:
    line = SignedLine()
    message = line.sign()
    assert line.verify(message).owner == "ada"
    # One verifier stands behind all connections and transports, and knows nothing of either.
    for _ in range(3):
        assert line.refusal(message) == "signature: seen before"
    assert line.refusal(json.dumps(message).encode()) == "signature: seen before"
    # Blanks and the order of members do not make it another message.
    turned = json.dumps(dict(reversed(message.items())), indent=3).encode()
    assert line.refusal(turned) == "signature: seen before"
    line.clock.advance(61)
    assert line.refusal(message) == "signature: too old"


def test_n16_without_the_window_a_replay_runs_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    line = SignedLine()
    message = line.sign()
    line.verify(message)
    line.refusal(message)
    monkeypatch.setattr(ReplayWindow, "admit", lambda *_: None)
    assert line.verify(message).owner == "ada"


def test_n16_a_replay_after_a_restart_is_refused() -> None:
    line = SignedLine()
    message = line.sign()
    line.verify(message)
    line.clock.advance(1)
    after = MessageVerifier.with_clock(line.clock, keys=lambda: line.keys, audience=SERVER)
    with pytest.raises(AuthenticationError) as caught:
        after.verify(message, mode=SignatureMode.REQUIRE)
    assert caught.value.reason == "signature: made before the start"


def test_n17_what_was_said_to_another_server() -> None:
    message = SignedLine().sign()
    assert SignedLine(audience="mcp:other").refusal(message) == "signature: aud names somebody else"
    assert SignedLine().verify(message).owner == "ada"


def test_n18_an_answer_belongs_to_its_question() -> None:
    """The client's verifier: it knows the server's key, and which request it awaits the answer of."""
    clock = FakeClock(SignedLine().clock.now)
    server = MessageSigner(key=EC_KEY, audience="client", clock=clock)
    client = MessageVerifier.with_clock(clock, keys=lambda: ring(server=EC_KEY), audience="client")
    first, second = (digest_of(f"{name}..request") for name in ("first", "second"))
    answer, _ = server.sign({"jsonrpc": "2.0", "id": 1, "result": {"content": []}}, request_digest=first)

    def reason(message: dict[str, Any], expected: str | None) -> str:
        with pytest.raises(AuthenticationError) as caught:
            client.verify(message, mode=SignatureMode.REQUIRE, request_digest=expected)
        return caught.value.reason

    assert reason(answer, second) == "signature: the answer to another request"
    # Nor is an answer a request, or a request an answer.
    assert reason(answer, None) == "signature: an answer where none was awaited"
    unasked, _ = server.sign({"jsonrpc": "2.0", "id": 1, "result": {}})
    assert reason(unasked, first) == "signature: the answer to another request"
    error, _ = server.sign({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}}, request_digest=first)
    assert client.verify(error, mode=SignatureMode.REQUIRE, request_digest=first) is not None
    assert client.verify(answer, mode=SignatureMode.REQUIRE, request_digest=first) is not None


def test_n18_without_the_barrier_the_answer_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    line = SignedLine()
    answer = line.sign({"id": 1, "result": {}}, request_digest=digest_of("first"))
    line.refusal(answer, request_digest=digest_of("second"))
    monkeypatch.setattr(message_verifier, "_check_request", lambda *_: None)
    assert line.verify(answer, request_digest=digest_of("second")).owner == "ada"


def spoil(old: bytes, new: bytes) -> bytes:
    data = json.dumps(SignedLine().sign()).encode()
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (spoil(b'"path": ', b'"path": "/etc/shadow", "path": '), "twice"),
        (spoil(b'"path": ', b'"p\\u0061th": "/etc/shadow", "path": '), "twice"),
        (spoil(b'"dev.mcpserver/sig": ', b'"dev.mcpserver/sig": "a..b", "dev.mcpserver/sig": '), "twice"),
        (spoil(b'"/data/a.txt"', b"NaN"), "NaN"),
        (spoil(b'"/data/a.txt"', b'"\\ud800"'), "surrogate"),
        (spoil(b'"/data/a.txt"', b"12345678901234567890"), "too many digits"),
        (spoil(b'"/data/a.txt"', b"[" * 10_000 + b"]" * 10_000), "deeper"),
    ],
    ids=["N-19", "N-19 escaped", "N-21", "N-20 NaN", "N-20 surrogate", "N-20 digits", "N-23 depth"],
)
def test_n19_n20_n21_n23_are_refused_before_any_work(data: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_verifier, "canonical_bytes", lambda message: pytest.fail("work was done"))
    reason = SignedLine().refusal(data)
    assert reason.startswith("message: ")
    assert why in reason


@pytest.mark.parametrize(
    ("value", "why"),
    [(2**53 + 1, "2^53"), (float("nan"), "NaN"), (float("inf"), "NaN"), ("\ud800", "surrogate"), (b"x", "bytes")],
)
def test_n20_what_has_no_canonical_form_is_refused_however_it_came_here(value: object, why: str) -> None:
    """A reader that is not ours may have let it pass."""
    line = SignedLine()
    message = line.sign()
    message["params"]["arguments"] = {"x": value}
    assert why in line.refusal(message)


@pytest.mark.parametrize("meta", [[], None, "text", 7, [{"dev.mcpserver/sig": "a..b"}]])
@pytest.mark.parametrize("mode", [SignatureMode.ACCEPT, SignatureMode.REQUIRE])
def test_n22_a_place_that_is_no_object(meta: object, mode: SignatureMode) -> None:
    message = {**CALL, "params": {"name": "x", "_meta": meta}}
    assert SignedLine().refusal(message, mode) == "signature: the place for a signature is no object"


def test_n23_a_bomb_of_members(monkeypatch: pytest.MonkeyPatch) -> None:
    line = SignedLine()
    message = line.sign()
    message["params"]["arguments"] = {str(number): 0 for number in range(100_000)}
    monkeypatch.setattr(
        "mcp_server.security.authentication.messages.message_form.canonical_json", lambda message: pytest.fail("sorted")
    )
    assert line.refusal(message) == "signature: the message has too many elements to be signed"


def test_n23_a_bomb_of_depth_that_was_read_elsewhere() -> None:
    line = SignedLine()
    message = line.sign()
    nested: Any = []
    for _ in range(10_000):
        nested = [nested]
    message["params"]["arguments"] = nested
    assert "levels" in line.refusal(message)


def test_n24_the_key_id_of_one_with_the_algorithm_of_another() -> None:
    public = ED_KEY.public_jwk()["x"]
    impostors = [
        SigningKey.from_jwk({**ED_KEY.private_jwk(), "kid": SECRET_KEY.key_id}),
        SigningKey.from_jwk({"kty": "oct", "kid": ED_KEY.key_id, "k": public}),
    ]
    for impostor in impostors:
        line = SignedLine(impostor)
        assert line.refusal(line.sign()) == "signature: the header names another algorithm than the key's"


@pytest.mark.parametrize("mode", list(SignatureMode))
def test_a_stripped_signature_is_not_fallen_back_from(mode: SignatureMode) -> None:
    """Checklist 33."""
    line = SignedLine()
    stripped = signed_part(line.sign())
    if mode is SignatureMode.REQUIRE:
        assert line.refusal(stripped) == "signature: none, and one is demanded"
    else:
        assert line.verifier.verify(stripped, mode=mode) is None


@pytest.mark.parametrize("spoilt", ["", "a", "..", "a..b", "e30..AAAA", "x" * 5000])
@pytest.mark.parametrize("mode", [SignatureMode.ACCEPT, SignatureMode.REQUIRE])
def test_a_wrong_signature_is_refused_where_none_would_do(spoilt: str, mode: SignatureMode) -> None:
    message = {**CALL, "params": {"_meta": {SIGNATURE_MEMBER: spoilt}}}
    assert SignedLine().refusal(message, mode).startswith("signature: ")


@pytest.mark.parametrize("changed", [
    {"typ": "at+jwt"}, {"typ": "JWT"}, {"crit": ["b64", "exp"]}, {"jku": "https://evil.example"}, {"jwk": {}},
    {"jti": "short"}, {"jti": None}, {"iat": None}, {"iat": True}, {"iat": 1.5}, {"aud": [SERVER]}, {"ath": "x"},
    {"req": 7}, {"exp": 1}, {"b64": True}, {"kid": "../x"}, {"kid": None}, {"alg": "none"}, {"alg": "ES256"},
])  # fmt: skip
def test_a_header_with_anything_else_is_refused(changed: dict[str, Any]) -> None:
    line = SignedLine()
    header = {"b64": False, "crit": ["b64"], "typ": "mcp-msg+jws", "iat": int(line.clock.now), "aud": SERVER}
    header["jti"] = "A" * 22
    honest = ED_KEY.detached(header, b"")
    assert DetachedJWS.parse(honest, max_bytes=4096)
    text = ED_KEY.detached({**header, **changed}, canonical_json(signed_part(CALL)))
    message = {**CALL, "params": {**CALL["params"], "_meta": {SIGNATURE_MEMBER: text}}}  # type: ignore[dict-item]
    assert line.refusal(message).startswith("signature: ")
    # The negative control: the same message with the header as it should be.
    good = ED_KEY.detached(header, canonical_json(signed_part(CALL)))
    message["params"]["_meta"] = {SIGNATURE_MEMBER: good}  # type: ignore[index]
    assert line.verify(message).owner == "ada"


POLICY = f"""
version = 1
[client.ada]
[[client.ada.message_key]]
kty = "OKP"
crv = "Ed25519"
kid = "as-ed-1"
x = "{ED_KEY.public_jwk()["x"]}"
[[client.ada.match]]
key = {{ id = "as-ed-1" }}
[client.eve]
[[client.eve.match]]
peer = {{ uid = 7 }}
"""
SIGNED = ListenerRules(signatures=SignatureMode.REQUIRE)


def test_a_key_leads_to_its_owner_and_to_nobody_else() -> None:
    from mcp_server.security.authentication.peer_identity import PeerIdentity

    rig = AuthenticationRig(POLICY)
    verifier = MessageVerifier.with_clock(rig.clock, keys=rig.manager.message_keys, audience=SERVER)
    line = SignedLine()

    def signed() -> Any:
        return verifier.verify(line.sign(), mode=SignatureMode.REQUIRE)

    principal = rig.show(signed=signed(), listener=SIGNED)
    assert (principal.client, principal.methods) == ("ada", ("signature",))
    # Neither a neighbour's user id nor what stands under another client makes it another's key.
    neighbour = credentials(signed=signed(), listener=SIGNED, peer=PeerIdentity(uid=7))
    assert rig.manager.authenticate(neighbour).client == "ada"
    assert rig.refusal(listener=SIGNED, peer=PeerIdentity(uid=7)) == "signature: none, and one is demanded"
    assert rig.show(peer=PeerIdentity(uid=7)).client == "eve"
    assert rig.refusal(signed=signed(), profile="eve", listener=SIGNED) != ""
    # A key that the policy takes away is gone with the next message.
    rig.replace("version = 1\n[client.ada]\n")
    with pytest.raises(AuthenticationError) as caught:
        signed()
    assert caught.value.reason == "signature: no key of this id"
