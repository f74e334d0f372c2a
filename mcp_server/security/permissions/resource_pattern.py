"""Which resources a rule is about, where they are no paths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.resource_text import fold, forbidden_character

# What a policy grants with "CODE_EXECUTION unrestricted", and what is asked for by a permission with
# `restricted=False`. No wildcard covers it: leaving the sandbox must be written out.
UNRESTRICTED: Final = "unrestricted"
# A host with port, a program, a bucket with key: long enough for each, short enough to be kept as a cache key.
MAX_RESOURCE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """A compiled pattern for opaque resources: a text that must be equal, in which `*` is any run of characters.

    Nothing else is special, and `*` knows no separators: `api.example.com:*` is any port of that host.

    Made by `compile`; the fields are what it found.

    Args:
        text: The pattern as it was written.
        pieces: What stands between the stars; one piece when there is none.

    >>> ResourcePattern.compile("*.example.com:443").matches("api.example.com:443")
    True
    >>> ResourcePattern.compile("*").matches(UNRESTRICTED)
    False
    """

    text: str
    pieces: tuple[str, ...]

    @classmethod
    def compile(cls, text: str, *, client: str | None = None) -> Self:
        """Return the pattern that `text` writes.

        Args:
            text: The pattern.
            client: What `{client}` stands for, None where it stands for nothing.

        Raises:
            ConfigurationError: The pattern is empty, too long or holds a control character.
        """
        if not text:
            raise ConfigurationError("the pattern is empty; write '*' for every resource")
        if len(text.encode("utf-8", "surrogatepass")) > MAX_RESOURCE_BYTES:
            raise ConfigurationError(f"the pattern is longer than {MAX_RESOURCE_BYTES} bytes")
        bad = forbidden_character(text)
        if bad is not None:
            raise ConfigurationError(f"the pattern {text!a} holds the character {bad}")
        expanded = text if client is None else text.replace("{client}", client)
        return cls(text, pieces=tuple(expanded.split("*")))

    def folded(self) -> Self:
        """Return the pattern in the caseless form in which denials compare; see `fold`."""
        return replace(self, pieces=tuple(fold(each) for each in self.pieces))

    @property
    def canonical(self) -> str:
        """The compiled pattern in one unambiguous line."""
        return "*".join(self.pieces)

    @property
    def is_everything(self) -> bool:
        """Whether it consists of stars only."""
        return len(self.pieces) > 1 and not any(self.pieces)

    def matches(self, resource: str) -> bool:
        """Whether `resource` fits; the resource `unrestricted` fits only the pattern of exactly that text.

        Each piece is searched once, from where the one before it ended: the leftmost place leaves the most for the
        rest, so there is nothing to try again.
        """
        if len(self.pieces) == 1:
            return resource == self.pieces[0]
        return resource != UNRESTRICTED and self._matches_wild(resource)

    def covers(self, resource: str) -> bool:
        """Whether `resource` fits, `unrestricted` being a resource like others: for denials, which may be wide."""
        return resource == self.pieces[0] if len(self.pieces) == 1 else self._matches_wild(resource)

    def is_disjoint(self, other: ResourcePattern) -> bool:
        """Whether surely no resource fits both; False when in doubt."""
        if len(self.pieces) == 1:
            return not other.covers(self.pieces[0])
        if len(other.pieces) == 1:
            return not self.covers(other.pieces[0])
        start, other_start = self.pieces[0], other.pieces[0]
        end, other_end = self.pieces[-1], other.pieces[-1]
        starts_agree = start.startswith(other_start) or other_start.startswith(start)
        ends_agree = end.endswith(other_end) or other_end.endswith(end)
        return not (starts_agree and ends_agree)

    def _matches_wild(self, resource: str) -> bool:
        first, *middle, last = self.pieces
        end = len(resource) - len(last)
        at = len(first)
        if at > end or not resource.startswith(first) or not resource.endswith(last):
            return False
        for piece in middle:
            found = resource.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    def __str__(self) -> str:
        return self.text
