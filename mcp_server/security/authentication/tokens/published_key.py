"""A public key of the local issuer, and its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_CREATED: Final = "created"
_REPLACED: Final = "replaced"


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key with when it was made and when another took its place.

    The times stand in the key set as members of their own, which everybody else ignores (RFC 7517, section 4).

    Args:
        jwk: The public key.
        created_at: When it was made, in seconds since 1970.
        replaced_at: When another key began to sign; None for the one that signs.

    >>> PublishedKey.from_jwk({"kid": "a", "created": 5}).key_id
    'a'
    """

    jwk: Mapping[str, Any]
    created_at: int
    replaced_at: int | None = None

    @classmethod
    def from_jwk(cls, members: Mapping[str, Any]) -> Self:
        """Return the key of an entry of the key set.

        Raises:
            ValueError: It has no times.
        """
        created, replaced = members.get(_CREATED), members.get(_REPLACED)
        if type(created) is not int or (replaced is not None and type(replaced) is not int):
            raise ValueError("a key does not say when it was made")
        jwk = {name: value for name, value in members.items() if name not in (_CREATED, _REPLACED)}
        return cls(jwk, created, replaced)

    def to_jwk(self) -> dict[str, Any]:
        """Return the entry of the key set."""
        times = {_CREATED: self.created_at}
        if self.replaced_at is not None:
            times[_REPLACED] = self.replaced_at
        return {**self.jwk, **times}

    @property
    def key_id(self) -> str:
        """Its `kid`."""
        return str(self.jwk["kid"])
