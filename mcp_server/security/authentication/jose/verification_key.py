"""A key that verifies, with its one algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.jose.jwk_reader import algorithm_of, check_public, key_id_of, material_of
from mcp_server.security.authentication.jose.key_thumbprint import key_thumbprint
from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm

# Of all but RSA, whose signatures are as long as the key.
_SIGNATURE_BYTES: Final = {SignatureAlgorithm.EDDSA: 64, SignatureAlgorithm.ES256: 64, SignatureAlgorithm.HS256: 32}


def pyjwt_algorithm(algorithm: SignatureAlgorithm) -> Any:
    """Return what PyJWT computes signatures of this algorithm with; nothing else of it is used.

    Raises:
        ConfigurationError: The package cannot be used.
    """
    try:
        from jwt import algorithms
    except ImportError as error:
        raise ConfigurationError("tokens need the package pyjwt, with cryptography: install both") from error
    if algorithm is SignatureAlgorithm.EDDSA:
        return algorithms.OKPAlgorithm()
    if algorithm is SignatureAlgorithm.ES256:
        return algorithms.ECAlgorithm(algorithms.ECAlgorithm.SHA256)
    if algorithm is SignatureAlgorithm.PS256:
        return algorithms.RSAPSSAlgorithm(algorithms.RSAPSSAlgorithm.SHA256)
    if algorithm is SignatureAlgorithm.RS256:
        return algorithms.RSAAlgorithm(algorithms.RSAAlgorithm.SHA256)
    return algorithms.HMACAlgorithm(algorithms.HMACAlgorithm.SHA256)


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key for one algorithm, which the key decides and never the header of what it verifies.

    Args:
        key_id: Its `kid`, or its thumbprint where it has none.
        algorithm: The only algorithm it is used with.
        thumbprint: Its SHA-256 thumbprint, base64url (RFC 7638); empty for a secret.

    >>> key = VerificationKey.from_jwk(
    ...     {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ... )
    >>> key.algorithm.value, key.thumbprint
    ('EdDSA', 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    """

    key_id: str
    algorithm: SignatureAlgorithm
    thumbprint: str
    _material: Any = field(repr=False, compare=False)
    _computer: Any = field(repr=False, compare=False)
    _signature_bytes: int = field(repr=False, compare=False)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, allows_secret: bool = False) -> Self:
        """Return the key that a JSON Web Key holds.

        Args:
            jwk: Its members. Those that nobody needs for verifying are ignored, as RFC 7517 demands.
            allows_secret: Whether it may be a secret for HMAC.

        Raises:
            ValueError: It is malformed, weak, private, for something else, or a secret where none is allowed.
        """
        check_public(jwk)
        algorithm = algorithm_of(jwk)
        if algorithm.is_symmetric and not allows_secret:
            raise ValueError("a secret key is not for whom tokens come from elsewhere; use a key pair")
        material = material_of(jwk, algorithm)
        thumbprint = "" if algorithm.is_symmetric else key_thumbprint(jwk)
        key_id = key_id_of(jwk)
        if key_id is None and not thumbprint:
            raise ValueError("a secret key needs a 'kid'")
        length = _SIGNATURE_BYTES.get(algorithm)
        if length is None:
            length = (material.key_size + 7) // 8  # type: ignore[union-attr] # only RSA keys are left here
        return cls(key_id or thumbprint, algorithm, thumbprint, material, pyjwt_algorithm(algorithm), length)

    def verify(self, signing_input: bytes, signature: bytes) -> None:
        """Return when `signature` is this key's over `signing_input`.

        Raises:
            ValueError: It is not.
        """
        if len(signature) != self._signature_bytes:
            raise ValueError("the signature has the wrong length")
        if not self._computer.verify(signing_input, self._material, signature):
            raise ValueError("the signature is not this key's")
