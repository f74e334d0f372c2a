from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.jwk_reader import (
    _SMALL_ORDER_Y,
    KEY_ID,
    algorithm_of,
    check_public,
    key_id_of,
    material_of,
)
from tests.support.tokens import EC_KEY, ED_KEY

PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def roots(y: int) -> list[int]:
    """Return the x coordinates of the points of edwards25519 at `y`: -x² + y² = 1 + d·x²·y²."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if (root * root - square) % PRIME:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return [] if (root * root - square) % PRIME else sorted({root, -root % PRIME})


def double(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    product = D * x * x * y * y % PRIME
    return (
        2 * x * y * pow(1 + product, -1, PRIME) % PRIME,
        (y * y + x * x) * pow(1 - product, -1, PRIME) % PRIME,
    )


def order_divides_eight(point: tuple[int, int]) -> bool:
    return double(double(double(point))) == (0, 1)


def ed(point: bytes) -> dict[str, Any]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(point)}


def test_the_table_of_small_points_is_all_of_them() -> None:
    points = [(x, y) for y in _SMALL_ORDER_Y for x in roots(y)]
    # There are eight, for the cofactor is eight. Source: RFC 8032, section 5.1.
    assert len(set(points)) == 8
    assert all(order_divides_eight(point) for point in points)
    assert not order_divides_eight((roots(4 * pow(5, -1, PRIME) % PRIME)[0], 4 * pow(5, -1, PRIME) % PRIME))


@pytest.mark.parametrize("y", sorted(_SMALL_ORDER_Y))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_point_of_small_order_is_no_key(y: int, sign: int) -> None:
    jwk = ed((y | sign << 255).to_bytes(32, "little"))
    with pytest.raises(ValueError, match="anybody can make signatures"):
        material_of(jwk, algorithm_of(jwk))


@pytest.mark.parametrize("y", [PRIME, PRIME + 1, 2**255 - 1])
def test_a_second_spelling_of_a_point_is_no_key(y: int) -> None:
    jwk = ed(y.to_bytes(32, "little"))
    with pytest.raises(ValueError, match="anybody can make signatures"):
        material_of(jwk, algorithm_of(jwk))


def test_without_the_check_a_signature_that_nobody_made_is_valid() -> None:
    # The negative control: the library below takes the key, and a signature of zeros and the neutral point.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"any text at all")
    with pytest.raises(ValueError, match="anybody can make signatures"):
        material_of(ed(neutral), algorithm_of(ed(neutral)))


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "OKP", "crv": "Ed448"},
        {"kty": "OKP", "crv": "X25519"},
        {"kty": "EC", "crv": "P-384"},
        {"kty": "EC", "crv": "secp256k1"},
        {"kty": "EC"},
        {"kty": "rsa"},
        {"crv": "Ed25519"},
        {"kty": ["OKP"], "crv": "Ed25519"},
        {},
    ],
)
def test_other_types_are_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no allowed type"):
        algorithm_of(jwk)


@pytest.mark.parametrize(
    ("kty", "crv", "alg"),
    [("OKP", "Ed25519", "ES256"), ("EC", "P-256", "EdDSA"), ("RSA", None, "HS256"), ("oct", None, "RS256")],
)
def test_an_algorithm_of_another_type_is_refused(kty: str, crv: str | None, alg: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        algorithm_of({"kty": kty, "crv": crv, "alg": alg})


def test_an_rsa_key_has_the_algorithm_it_names_else_the_usual_one() -> None:
    assert algorithm_of({"kty": "RSA"}) == "RS256"
    assert algorithm_of({"kty": "RSA", "alg": "PS256"}) == "PS256"


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"d": "AAAA"},
        {"p": "AAAA"},
        {"qi": "AAAA"},
        {"k": "AAAA"},
    ],
)
def test_a_key_for_something_else_or_with_more_than_it_needs_is_refused(members: dict[str, Any]) -> None:
    public = ED_KEY.public_jwk()
    check_public(public)
    with pytest.raises(ValueError, match=r"not for|private"):
        check_public({**public, **members})


@pytest.mark.parametrize(
    "kid", ["", "../../etc/passwd", "a b", "a/b", "a" * 129, "a\0", "é", 7, None, "https://x", "%61"]
)
def test_a_key_id_that_could_be_something_else_is_refused(kid: object) -> None:
    with pytest.raises(ValueError, match="key id"):
        key_id_of({"kid": kid})
    assert not (isinstance(kid, str) and KEY_ID.fullmatch(kid))


def test_a_key_without_an_id_has_none() -> None:
    assert key_id_of({}) is None
    assert key_id_of({"kid": "a" * 128}) == "a" * 128


@pytest.mark.parametrize(
    ("jwk", "why"),
    [
        ({"kty": "oct", "k": encode_base64url(bytes(31))}, "32 to"),
        ({"kty": "oct", "k": encode_base64url(bytes(513))}, "32 to"),
        ({"kty": "oct", "k": ""}, "no 'k'"),
        ({"kty": "oct", "k": 1}, "no 'k'"),
        ({"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(bytes(31))}, "32 bytes"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "YR"}, "canonical"),
        ({**EC_KEY.public_jwk(), "x": encode_base64url(bytes(31))}, "32 bytes"),
        ({**EC_KEY.public_jwk(), "y": encode_base64url(bytes(32))}, "curve|Invalid|invalid"),
        ({"kty": "RSA", "n": encode_base64url((2**1023 + 1).to_bytes(128, "big")), "e": "AQAB"}, "2048"),
        ({"kty": "RSA", "n": encode_base64url((2**8192 + 1).to_bytes(1025, "big")), "e": "AQAB"}, "2048"),
        ({"kty": "RSA", "n": encode_base64url((2**2047 + 1).to_bytes(256, "big")), "e": "Aw"}, "exponent"),
        ({"kty": "RSA", "n": encode_base64url((2**2047 + 1).to_bytes(256, "big")), "e": "AQAA"}, "exponent"),
    ],
)
def test_a_weak_or_malformed_key_is_refused(jwk: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        material_of(jwk, algorithm_of(jwk))
