"""The signature algorithms that may be used at all."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class SignatureAlgorithm(StrEnum):
    """An algorithm by its JOSE name; there is no `none`, and nothing that is not listed.

    `Ed25519` is the newer name of `EdDSA` with that curve, and means the same key and the same signatures. Larger
    hashes and curves are left out: an issuer that can do them can do one of these.

    Source: RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.

    >>> SignatureAlgorithm.named("Ed25519") is SignatureAlgorithm.EDDSA
    True
    >>> SignatureAlgorithm.named("none")
    Traceback (most recent call last):
    ValueError: no allowed signature algorithm
    """

    EDDSA = "EdDSA"
    """Ed25519, and no other curve."""
    ES256 = "ES256"
    """ECDSA on P-256 with SHA-256."""
    PS256 = "PS256"
    """RSASSA-PSS with SHA-256."""
    RS256 = "RS256"
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    HS256 = "HS256"
    """HMAC with SHA-256: whoever can verify can sign, so it is for keys of this machine only."""

    @classmethod
    def named(cls, name: object) -> Self:
        """Return the algorithm that a header or key names; names are compared exactly.

        Raises:
            ValueError: It is none of these.
        """
        if isinstance(name, str):
            for each in cls:
                if each.value == name or (each is cls.EDDSA and name == "Ed25519"):
                    return each
        raise ValueError("no allowed signature algorithm")

    @property
    def is_symmetric(self) -> bool:
        """Whether the key that verifies also signs."""
        return self is SignatureAlgorithm.HS256
