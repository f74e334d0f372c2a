"""Which resources a rule is about, where they are parts with slashes between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern

_NOWHERE = PathPattern("**", is_absolute=False, segments=("**",))


@dataclass(frozen=True, slots=True)
class PartsPattern(ResourcePattern):
    """A compiled pattern for `part/part/part`: keys of S3, schemas of SQL, members of D-Bus.

    As for files, `*` and `?` stay inside a part and `**` is any number of parts, so that `logs/*` is not
    `logs/2026/secret`, nor `logs*` another bucket. `bucket/**` is everything below and not the bucket itself; `*` or
    `**` alone is everything. A resource with an empty part, or one called `.` or `..`, is granted by no pattern: what
    reads it next may read it in another way.

    Made by `compile`; the fields are what it found.

    Args:
        text: The pattern as it was written.
        pieces: The pattern where it holds no wildcard, else two empty ones.
        inner: The parts, matched as the names of a relative path are.

    >>> keys = PartsPattern.compile("reports/2026/**")
    >>> keys.matches("reports/2026/may/a.csv"), keys.matches("reports/2026x/a"), keys.matches("reports/2026/../a")
    (True, False, False)
    """

    inner: PathPattern = _NOWHERE

    @classmethod
    def compile(cls, text: str, *, client: str | None = None) -> Self:
        """Return the pattern that `text` writes.

        Args:
            text: The pattern.
            client: What `{client}` stands for, None where it stands for nothing.

        Raises:
            ConfigurationError: It has another form, or could never match.
        """
        ResourcePattern.compile(text)
        if text in ("*", "**"):
            return cls(text, ("", ""))
        inner = PathPattern.compile(text, client=client)
        if inner.is_absolute:
            raise ConfigurationError(f"{text!r} begins with a slash; write the first part first")
        is_literal = not any("*" in each or "?" in each for each in inner.segments)
        return cls(text, ("/".join(inner.segments),) if is_literal else ("", ""), inner)

    def folded(self) -> Self:
        """Return the pattern in the caseless form in which denials compare; see `fold`."""
        inner = self.inner.folded()
        pieces = ("/".join(inner.segments),) if len(self.pieces) == 1 else self.pieces
        return replace(self, pieces=pieces, inner=inner)

    @property
    def canonical(self) -> str:
        """The compiled pattern in one unambiguous line."""
        return self.inner.canonical

    @property
    def is_everything(self) -> bool:
        """Whether it is a bare `*` or `**`."""
        return self.inner.is_everything

    def matches(self, resource: str) -> bool:
        """Whether a grant of this pattern is one of `resource`; leaving the sandbox is granted by its own text only."""
        return resource != UNRESTRICTED and self.inner.matches(resource)

    def covers(self, resource: str) -> bool:
        """Whether a denial of this pattern is one of `resource`; one of everything is one of what is malformed too."""
        return self.is_everything or self.inner.matches(resource)

    def is_disjoint(self, other: ResourcePattern) -> bool:
        """Whether surely no resource fits both; False when in doubt."""
        return isinstance(other, PartsPattern) and self.inner.is_disjoint(other.inner)
