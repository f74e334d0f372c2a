"""A key that signs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mcp_server.security.authentication.jose.base64url import decode_base64url, encode_base64url
from mcp_server.security.authentication.jose.jwk_reader import algorithm_of, key_id_of, material_of
from mcp_server.security.authentication.jose.key_thumbprint import key_thumbprint
from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm
from mcp_server.security.authentication.jose.verification_key import VerificationKey, pyjwt_algorithm


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half of a key pair, or a secret; shown nowhere, and written only by who keeps keys.

    Signs with Ed25519, ES256 or HMAC: what this library makes keys for, and what its peers do. RSA keys are verified
    with, never signed with.

    Args:
        key_id: Its `kid`, or its thumbprint where it has none.
        algorithm: The only algorithm it is used with.

    >>> key = SigningKey.generate()
    >>> key.verification_key().verify(b"text", key.sign(b"text"))
    >>> key.key_id == key.verification_key().thumbprint, "d" in key.public_jwk()
    (True, False)
    """

    key_id: str
    algorithm: SignatureAlgorithm
    _jwk: Mapping[str, Any] = field(repr=False, compare=False)
    _material: Any = field(repr=False, compare=False)
    _computer: Any = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new Ed25519 key, from the operating system's randomness, named by its thumbprint."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        public = encode_base64url(private.public_key().public_bytes_raw())
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": public, "d": encode_base64url(private.private_bytes_raw())}
        return cls.from_jwk(jwk)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key that a private JSON Web Key holds.

        Raises:
            ValueError: It is malformed, not private, of a type that is not signed with here, or its halves do not fit.
        """
        algorithm = algorithm_of(jwk)
        key_id = key_id_of(jwk)
        material: Any
        if algorithm is SignatureAlgorithm.HS256:
            material = material_of(jwk, algorithm)
            if key_id is None:
                raise ValueError("a secret key needs a 'kid'")
        elif algorithm is SignatureAlgorithm.EDDSA:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

            material = Ed25519PrivateKey.from_private_bytes(_private_member(jwk))
            _check_halves(material.public_key(), material_of(jwk, algorithm))
        elif algorithm is SignatureAlgorithm.ES256:
            from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

            material = derive_private_key(int.from_bytes(_private_member(jwk), "big"), SECP256R1())
            _check_halves(material.public_key(), material_of(jwk, algorithm))
        else:
            raise ValueError("an RSA key is not signed with here; make an Ed25519 key")
        return cls(key_id or key_thumbprint(jwk), algorithm, dict(jwk), material, pyjwt_algorithm(algorithm))

    def sign(self, signing_input: bytes) -> bytes:
        """Return the signature over some bytes."""
        return bytes(self._computer.sign(signing_input, self._material))

    def compact(self, header: Mapping[str, Any], payload: bytes) -> str:
        """Return a compact JWS of this key.

        Args:
            header: Further members of the protected header, beside `alg` and `kid`.
            payload: What is signed.

        Source: RFC 7515, section 5.1.
        """
        members = {"alg": self.algorithm.value, "kid": self.key_id, **header}
        protected = json.dumps(members, separators=(",", ":")).encode("utf-8")
        signing_input = f"{encode_base64url(protected)}.{encode_base64url(payload)}"
        return f"{signing_input}.{encode_base64url(self.sign(signing_input.encode('ascii')))}"

    def detached(self, header: Mapping[str, Any], payload: bytes) -> str:
        """Return a compact JWS of this key with an unencoded payload that is left out of it.

        Args:
            header: Further members of the protected header, `b64` and `crit` among them.
            payload: What is signed.

        Source: RFC 7797, section 5.
        """
        members = {"alg": self.algorithm.value, "kid": self.key_id, **header}
        protected = encode_base64url(json.dumps(members, separators=(",", ":")).encode("utf-8"))
        return f"{protected}..{encode_base64url(self.sign(f'{protected}.'.encode('ascii') + payload))}"

    def public_jwk(self) -> dict[str, Any]:
        """Return the key's public half, as it is published.

        Raises:
            ValueError: It is a secret, which has none.
        """
        if self.algorithm.is_symmetric:
            raise ValueError("a secret has no public half")
        names = ("kty", "crv", "x", "y")
        public = {name: self._jwk[name] for name in names if name in self._jwk}
        return {**public, "kid": self.key_id, "alg": self.algorithm.value, "use": "sig"}

    def private_jwk(self) -> dict[str, Any]:
        """Return the whole key, for the file that keeps it."""
        return {**self._jwk, "kid": self.key_id, "alg": self.algorithm.value}

    def verification_key(self) -> VerificationKey:
        """Return what verifies this key's signatures."""
        if self.algorithm.is_symmetric:
            return VerificationKey.from_jwk({**self._jwk, "kid": self.key_id}, allows_secret=True)
        return VerificationKey.from_jwk(self.public_jwk())


def _private_member(jwk: Mapping[str, Any]) -> bytes:
    text = jwk.get("d")
    if not isinstance(text, str):
        raise ValueError("the key has no private half ('d')")
    private = decode_base64url(text)
    if len(private) != 32:
        raise ValueError("the private half of the key has 32 bytes")
    return private


def _check_halves(derived: Any, public: Any) -> None:
    if derived != public:
        raise ValueError("the halves of the key do not fit together")
