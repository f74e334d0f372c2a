"""The keys of one issuer at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.jose.verification_key import VerificationKey

MAX_KEYS: Final = 64
"""Issuers publish two or three; each is looked at when the set is read."""
MAX_KEY_SET_BYTES: Final = 256 * 1024
"""Room for 64 RSA keys with their certificates."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys by their ids, all of one kind: either public keys, or secrets of this machine.

    One bad key refuses the whole set. A set in which something is wrong was put together by somebody who made a
    mistake, or by somebody else, and there is no telling which of its other keys are his.

    Args:
        keys: The keys by `kid`.

    Source: RFC 7517, section 5.

    >>> KeySet().select("a")
    Traceback (most recent call last):
    LookupError: no key of this id
    """

    keys: Mapping[str, VerificationKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))

    @classmethod
    def parse(cls, data: bytes, *, allows_secrets: bool = False) -> Self:
        """Return the set that a JWK Set document writes.

        Args:
            data: The document, UTF-8.
            allows_secrets: Whether its keys may be secrets for HMAC.

        Raises:
            ValueError: It is none, or one of its keys cannot be used; the text names no key material.
        """
        if len(data) > MAX_KEY_SET_BYTES:
            raise ValueError(f"the key set is larger than {MAX_KEY_SET_BYTES} bytes")
        try:
            document = read_object(data)
        except ValueError as error:
            raise ValueError(f"the key set is no JSON object that can be used: {error}") from error
        return cls.of(document.get("keys"), allows_secrets=allows_secrets)

    @classmethod
    def of(cls, jwks: object, *, allows_secrets: bool = False) -> Self:
        """Return the set of a list of JSON Web Keys, given by their members.

        Raises:
            ValueError: It is no list of keys, or one of them cannot be used.
        """
        if not isinstance(jwks, list) or not jwks:
            raise ValueError("a key set has a list 'keys' with at least one key")
        if len(jwks) > MAX_KEYS:
            raise ValueError(f"the key set has more than {MAX_KEYS} keys")
        keys: dict[str, VerificationKey] = {}
        for at, jwk in enumerate(jwks):
            key = _key(at, jwk, allows_secrets)
            if key.key_id in keys:
                raise ValueError(f"keys[{at}]: the key id is another key's already")
            keys[key.key_id] = key
        if len({key.algorithm.is_symmetric for key in keys.values()}) > 1:
            # With both, a public key of one token could be taken for the secret of another.
            raise ValueError("the key set mixes secrets and public keys; use one kind")
        return cls(keys)

    def select(self, key_id: str | None) -> VerificationKey:
        """Return the key of this id; without one, the only key there is.

        Raises:
            LookupError: There is none, or more than one to choose from.
        """
        if key_id is None:
            if len(self.keys) != 1:
                raise LookupError("no key id, and more than one key")
            return next(iter(self.keys.values()))
        key = self.keys.get(key_id)
        if key is None:
            raise LookupError("no key of this id")
        return key


def _key(at: int, jwk: Any, allows_secrets: bool) -> VerificationKey:
    if not isinstance(jwk, Mapping):
        raise ValueError(f"keys[{at}]: no JSON object")
    try:
        return VerificationKey.from_jwk(jwk, allows_secret=allows_secrets)
    except ValueError as error:
        raise ValueError(f"keys[{at}]: {error}") from error
