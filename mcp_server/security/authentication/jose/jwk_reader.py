"""From the members of a JSON Web Key to key material, strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_server.security.authentication.jose.base64url import decode_base64url
from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    VerifyingMaterial = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey | bytes

KEY_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
"""What a key id may be: looked up in a table, and still no path, address or query when somebody errs."""

LEAST_RSA_BITS: Final = 2048
"""NIST SP 800-131A, revision 2: shorter ones are not approved."""
MOST_RSA_BITS: Final = 8192
"""A verification takes the square of the length; nobody needs longer ones."""
LEAST_SECRET_BYTES: Final = 32
"""RFC 7518, section 3.2: a key of the same size as the hash output, or larger."""
MOST_SECRET_BYTES: Final = 512

_PRIVATE_MEMBERS: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "priv")
_LEAST_RSA_EXPONENT: Final = 2**16 + 1
_MOST_RSA_EXPONENT: Final = 2**32
_PRIMES: Final = tuple(each for each in range(3, 168) if all(each % other for other in range(2, each)))
_P256_BYTES: Final = 32
_ED25519_BYTES: Final = 32
_ED25519_PRIME: Final = 2**255 - 19
_ORDER_EIGHT_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y coordinates of the eight points of small order: under such a key, signatures that nobody made are valid.
_SMALL_ORDER_Y: Final = frozenset((0, 1, _ED25519_PRIME - 1, _ORDER_EIGHT_Y, _ED25519_PRIME - _ORDER_EIGHT_Y))


def check_public(jwk: Mapping[str, Any]) -> None:
    """Refuse a key that is not for verifying, or that holds more than verifying needs.

    Raises:
        ValueError: It is for something else, or private.

    Source: RFC 7517, sections 4.2 and 4.3.

    >>> check_public({"kty": "OKP", "use": "enc"})
    Traceback (most recent call last):
    ValueError: the key is not for signatures ('use')
    """
    if jwk.get("use", "sig") != "sig":
        raise ValueError("the key is not for signatures ('use')")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("the key is not for verifying ('key_ops')")
    if any(name in jwk for name in _PRIVATE_MEMBERS) or ("k" in jwk and jwk.get("kty") != "oct"):
        raise ValueError("the key holds private members; publish its public half only, and replace it")


def key_id_of(jwk: Mapping[str, Any]) -> str | None:
    """Return the `kid` of a key, None when it has none.

    Raises:
        ValueError: It has the wrong form.
    """
    if "kid" not in jwk:
        return None
    kid = jwk["kid"]
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
        raise ValueError("a key id must be 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -")
    return kid


def algorithm_of(jwk: Mapping[str, Any]) -> SignatureAlgorithm:
    """Return the one algorithm of a key: what it names, which must fit its type, else the one of its type.

    An RSA key that names none is one for RS256, the only one that every issuer knows.

    Raises:
        ValueError: No allowed algorithm goes with it.

    >>> algorithm_of({"kty": "EC", "crv": "P-256"}).value
    'ES256'
    """
    kty, curve = jwk.get("kty"), jwk.get("crv")
    fitting: tuple[SignatureAlgorithm, ...] = ()
    if kty == "OKP" and curve == "Ed25519":
        fitting = (SignatureAlgorithm.EDDSA,)
    elif kty == "EC" and curve == "P-256":
        fitting = (SignatureAlgorithm.ES256,)
    elif kty == "RSA":
        fitting = (SignatureAlgorithm.RS256, SignatureAlgorithm.PS256)
    elif kty == "oct":
        fitting = (SignatureAlgorithm.HS256,)
    if not fitting:
        raise ValueError("the key is of no allowed type; use Ed25519, P-256 or RSA")
    named = SignatureAlgorithm.named(jwk["alg"]) if "alg" in jwk else fitting[0]
    if named not in fitting:
        raise ValueError("the key's 'alg' does not fit its type")
    return named


def material_of(jwk: Mapping[str, Any], algorithm: SignatureAlgorithm) -> VerifyingMaterial:
    """Return the key itself.

    Raises:
        ValueError: It is malformed, or too weak.
    """
    if algorithm is SignatureAlgorithm.HS256:
        return _secret(jwk)
    if algorithm is SignatureAlgorithm.EDDSA:
        return _ed25519(jwk)
    if algorithm is SignatureAlgorithm.ES256:
        return _p256(jwk)
    return _rsa(jwk)


def _member(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text:
        raise ValueError(f"the key has no {name!r}")
    return decode_base64url(text)


def _secret(jwk: Mapping[str, Any]) -> bytes:
    secret = _member(jwk, "k")
    if not LEAST_SECRET_BYTES <= len(secret) <= MOST_SECRET_BYTES:
        raise ValueError(f"a secret key must have {LEAST_SECRET_BYTES} to {MOST_SECRET_BYTES} random bytes")
    return secret


def _ed25519(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    point = _member(jwk, "x")
    if len(point) != _ED25519_BYTES:
        raise ValueError("an Ed25519 key has 32 bytes")
    # The highest bit is the sign of the other coordinate. Source: RFC 8032, section 5.1.2.
    y = int.from_bytes(point, "little") & ((1 << 255) - 1)
    if y >= _ED25519_PRIME or y in _SMALL_ORDER_Y:
        raise ValueError("the Ed25519 key is a point under which anybody can make signatures")
    return Ed25519PublicKey.from_public_bytes(point)


def _p256(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

    x, y = _member(jwk, "x"), _member(jwk, "y")
    # Source: RFC 7518, section 6.2.1.2: the full size of a coordinate.
    if len(x) != _P256_BYTES or len(y) != _P256_BYTES:
        raise ValueError("a coordinate of P-256 has 32 bytes")
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1())
    # Raises ValueError for a point that is not on the curve.
    return numbers.public_key()


def _rsa(jwk: Mapping[str, Any]) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    modulus, exponent = int.from_bytes(_member(jwk, "n"), "big"), int.from_bytes(_member(jwk, "e"), "big")
    if not LEAST_RSA_BITS <= modulus.bit_length() <= MOST_RSA_BITS:
        raise ValueError(f"an RSA key must have {LEAST_RSA_BITS} to {MOST_RSA_BITS} bits")
    if not _LEAST_RSA_EXPONENT <= exponent <= _MOST_RSA_EXPONENT or not exponent % 2:
        raise ValueError("the exponent of the RSA key is out of bounds; 65537 is what everybody uses")
    if _was_made_guessably(modulus):
        raise ValueError("the RSA key was made by a chip whose keys can be guessed (CVE-2017-15361); replace it")
    return RSAPublicNumbers(exponent, modulus).public_key()


def _was_made_guessably(modulus: int) -> bool:
    """Whether a modulus is, for each of some small primes, a power of 65537: of others one in 2^27 is.

    Source: Nemec and others, "The Return of Coppersmith's Attack", CCS 2017, section 3.
    """
    return all(
        modulus % prime in {pow(_LEAST_RSA_EXPONENT, power, prime) for power in range(prime)} for prime in _PRIMES
    )
