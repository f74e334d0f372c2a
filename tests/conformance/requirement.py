"""One behaviour the specification asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """An entry of the manifest.

    Args:
        id: Its name, unique, in dotted words; the first is the feature.
        revisions: The dates it holds for; its test runs once for each.
        section: The section of the design's protocol page that says so.
        page: The page of the specification it comes from, below the revision's own address.
        text: What the server does, in one sentence.
    """

    id: str
    revisions: tuple[str, ...]
    section: str
    page: str
    text: str

    @property
    def link(self) -> str:
        """Where the newest of its revisions says it."""
        return f"https://modelcontextprotocol.io/specification/{self.revisions[-1]}/{self.page}"
