"""What is demanded of the tokens of one issuer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mcp_server.security.authentication.tokens.audience import canonical_audience

HOURS: Final = 3600

DEFAULT_LIFETIME_SECONDS: Final = 1 * HOURS
"""The longest life of a token unless the policy says otherwise: what a thief has of it."""
MOST_LIFETIME_SECONDS: Final = 24 * HOURS
MOST_LEEWAY_SECONDS: Final = 60
"""How far two clocks may differ; machines that keep time differ by less than a second."""


@dataclass(frozen=True, slots=True)
class IssuerRules:
    """One issuer whose tokens are accepted, and its switches; every relaxation is named and put on record at the start.

    Args:
        name: Its name in the policy.
        issuer: What its tokens say in `iss`, byte for byte.
        audience: What they must say in `aud`: this server's address.
        max_lifetime_seconds: The longest life of a token, from `iat` to `exp`.
        leeway_seconds: How far its clock may differ from ours.
        allows_untyped: Accept `typ` `JWT`, or none, from a provider that cannot do better. An ID token then passes for
            an access token when its other claims fit.
        allows_other_audiences: Accept tokens that are also meant for other servers, any of which could use them here.

    >>> IssuerRules("as", issuer="https://as.example", audience="https://mcp.example/mcp").relaxations
    ()
    """

    name: str
    issuer: str
    audience: str
    max_lifetime_seconds: int = DEFAULT_LIFETIME_SECONDS
    leeway_seconds: int = MOST_LEEWAY_SECONDS
    allows_untyped: bool = False
    allows_other_audiences: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "audience", canonical_audience(self.audience))

    @property
    def relaxations(self) -> tuple[str, ...]:
        """The names of the switches that make it accept more."""
        named = (
            ("accept_untyped_tokens", self.allows_untyped),
            ("accept_other_audiences", self.allows_other_audiences),
            ("max_lifetime_seconds", self.max_lifetime_seconds > DEFAULT_LIFETIME_SECONDS),
        )
        return tuple(name for name, is_on in named if is_on)
