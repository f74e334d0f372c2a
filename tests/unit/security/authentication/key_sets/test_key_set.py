from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.key_sets.key_set import MAX_KEY_SET_BYTES, MAX_KEYS, KeySet
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY


def parse(*jwks: Any, **options: Any) -> KeySet:
    return KeySet.parse(json.dumps({"keys": jwks}).encode(), **options)


def test_keys_are_found_by_their_ids() -> None:
    keys = parse(ED_KEY.public_jwk(), EC_KEY.public_jwk())
    assert keys.select("as-ed-1").algorithm == "EdDSA"
    assert keys.select("client-ec").algorithm == "ES256"
    for missing in ("as-ed-2", "AS-ED-1", ""):
        with pytest.raises(LookupError, match="no key of this id"):
            keys.select(missing)


def test_without_an_id_there_must_be_one_key_only() -> None:
    assert parse(ED_KEY.public_jwk()).select(None).key_id == "as-ed-1"
    with pytest.raises(LookupError, match="more than one"):
        parse(ED_KEY.public_jwk(), EC_KEY.public_jwk()).select(None)


@pytest.mark.parametrize(
    ("jwk", "why"),
    [
        (ED_KEY.public_jwk(), "another key's already"),
        ({**EC_KEY.public_jwk(), "use": "enc"}, "not for signatures"),
        (EC_KEY.private_jwk(), "private members"),
        (SECRET_KEY.private_jwk(), "secret"),
        ({**EC_KEY.public_jwk(), "alg": "ES512"}, "no allowed"),
        ("a key", "no JSON object"),
        (None, "no JSON object"),
    ],
)
def test_one_bad_key_refuses_the_whole_set(jwk: Any, why: str) -> None:
    with pytest.raises(ValueError, match=rf"keys\[1\]: .*{why}"):
        parse(ED_KEY.public_jwk(), jwk)


def test_secrets_and_public_keys_are_not_mixed() -> None:
    assert parse(SECRET_KEY.private_jwk(), allows_secrets=True).select(None).algorithm == "HS256"
    with pytest.raises(ValueError, match="mixes"):
        parse(SECRET_KEY.private_jwk(), ED_KEY.public_jwk(), allows_secrets=True)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JSON object"),
        (b"<html>", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"keys":[],"keys":[]}', "twice"),
        (b"{}", "at least one"),
        (b'{"keys":[]}', "at least one"),
        (b'{"keys":{}}', "at least one"),
        (b" " * (MAX_KEY_SET_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_key_set_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        KeySet.parse(data)


def test_the_number_of_keys_is_bounded() -> None:
    keys = [SigningKey.generate().public_jwk() for _ in range(MAX_KEYS + 1)]
    assert len(parse(*keys[1:]).keys) == MAX_KEYS
    with pytest.raises(ValueError, match="more than"):
        parse(*keys)


def test_the_error_names_no_key_material() -> None:
    with pytest.raises(ValueError, match="private") as caught:
        parse(ED_KEY.private_jwk())
    assert ED_KEY.private_jwk()["d"] not in str(caught.value)
