"""What a token leaves of its client's rights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError

# They come from outside, in a token of a few kilobytes, and each is compiled for the client that brings it.
MAX_NARROWING_RULES: Final = 64
MAX_NARROWING_SCOPES: Final = 64
MAX_RULE_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Rules and scopes beyond which a client may do nothing while it calls with this token.

    It only takes away: what it covers must be granted by the policy as well. An empty one leaves nothing. A rule that
    cannot be understood, or a scope that the policy does not know, covers nothing, for whoever wrote the token is not
    there to be told.

    Args:
        rules: Rules as a client's lists have them, such as `FILE_READ notes/**`; relative to the client's own folders.
        scopes: Names of `[scope.NAME]` of the policy.

    Raises:
        ConfigurationError: There are too many, or one is too long.

    >>> Narrowing.of(rules=["FILE_READ *.md"]) == Narrowing.of(rules=["FILE_READ *.md", "FILE_READ *.md"])
    True
    """

    rules: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    digest: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for what, texts, most in (
            ("rules", self.rules, MAX_NARROWING_RULES),
            ("scopes", self.scopes, MAX_NARROWING_SCOPES),
        ):
            if len(texts) > most:
                raise ConfigurationError(f"a token narrows to {len(texts)} {what}; at most {most} are read")
            if any(len(text) > MAX_RULE_CHARACTERS for text in texts):
                raise ConfigurationError(f"a token narrows to {what} of more than {MAX_RULE_CHARACTERS} characters")
        # On first use: a server without tokens starts without them.
        from hashlib import sha256
        from json import dumps

        form = dumps([self.rules, self.scopes], separators=(",", ":"), ensure_ascii=True)
        object.__setattr__(self, "digest", sha256(form.encode("ascii")).hexdigest())

    @classmethod
    def of(cls, *, rules: Iterable[str] = (), scopes: Iterable[str] = ()) -> Self:
        """Return the narrowing to these rules and scopes, in one order and each once.

        Raises:
            ConfigurationError: There are too many, or one is too long.
        """
        return cls(tuple(sorted(set(rules))), tuple(sorted(set(scopes))))
