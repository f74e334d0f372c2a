"""What the policy says of one issuer of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules

if TYPE_CHECKING:
    from mcp_server.security.authentication.key_sets.key_address import KeyAddress
    from mcp_server.security.authentication.key_sets.key_set import KeySet


@dataclass(frozen=True, slots=True)
class IssuerConfig:
    """An issuer's rules, and the one place that its keys come from.

    Args:
        rules: What is demanded of its tokens.
        inline: Public keys that stand in the policy.
        file: A file of keys, absolute.
        is_local: Whether its keys are those that `mcp-server keys` keeps in the state directory.
        remote: Where they are fetched from.
        holds_secrets: Whether the file holds secrets for HMAC, and is closed to others.

    >>> rules = IssuerRules("as", issuer="https://as.example", audience="https://mcp.example/mcp")
    >>> IssuerConfig(rules, file="/etc/mcp/jwks.json").to_json()["keys"]
    ['file', '/etc/mcp/jwks.json', False]
    """

    rules: IssuerRules
    inline: KeySet | None = None
    file: str | None = None
    is_local: bool = False
    remote: KeyAddress | None = None
    holds_secrets: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, for the digest of the policy; keys by their thumbprints."""
        rules = self.rules
        if self.inline is not None:
            keys: list[Any] = ["inline", *sorted([each.key_id, each.thumbprint] for each in self.inline.keys.values())]
        elif self.remote is not None:
            keys = self.remote.to_json()
        elif self.is_local:
            keys = ["local"]
        else:
            keys = ["file", self.file, self.holds_secrets]
        return {
            "issuer": rules.issuer,
            "audience": rules.audience,
            "max_lifetime_seconds": rules.max_lifetime_seconds,
            "leeway_seconds": rules.leeway_seconds,
            "relaxations": list(rules.relaxations),
            "keys": keys,
        }
