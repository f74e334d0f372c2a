"""Whatever is shown as a token: it is refused with an `AuthenticationError`, or it is what the issuer signed."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.jose.base64url import decode_base64url, encode_base64url
from mcp_server.security.authentication.jose.strict_json import read_object
from tests.support.tokens import VerifierRig, raw_token, token

GOOD = token()
RIG = VerifierRig()
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**52), 2**52)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(st.binary(max_size=60))
def test_bytes_have_one_spelling(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@given(st.text(st.characters(max_codepoint=127), max_size=24))
def test_a_text_that_is_read_is_the_spelling_of_what_was_read(text: str) -> None:
    try:
        data = decode_base64url(text)
    except ValueError:
        return
    assert encode_base64url(data) == text


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), values, max_size=5))
def test_every_object_that_json_writes_is_read(members: dict[str, object]) -> None:
    assert read_object(json.dumps(members).encode()) == json.loads(json.dumps(members))


@settings(max_examples=400)
@given(st.binary(max_size=80))
def test_any_bytes_are_an_object_or_a_value_error(data: bytes) -> None:
    try:
        found = read_object(data)
    except ValueError:
        return
    assert isinstance(found, dict)


@settings(max_examples=400)
@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_a_token_with_one_other_character_is_refused(at: int, character: str) -> None:
    text = GOOD[:at] + character + GOOD[at + 1 :]
    try:
        RIG.verifier.verify(text)
    except AuthenticationError:
        return
    assert text == GOOD


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jku", "crit", "x"]), values, max_size=4), values)
def test_an_honest_signature_over_anything_else_is_refused(header: dict[str, object], payload: object) -> None:
    text = raw_token(json.dumps(header).encode(), json.dumps(payload).encode())
    refused = False
    try:
        RIG.verifier.verify(text)
    except AuthenticationError as error:
        refused = error.reason.startswith("token: ")
    assert refused
