"""What a run wrote, bounded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """The beginning and the end of a stream; its middle is left out where it was too long.

    Args:
        head: The beginning.
        tail: The end; empty when everything is in the head.
        seen_bytes: How long the stream was, as far as it was read.

    >>> CapturedOutput(b"abc", b"xyz", 100).text()
    'abc\\n[... 94 bytes left out ...]\\nxyz'
    """

    head: bytes = b""
    tail: bytes = b""
    seen_bytes: int = 0

    @property
    def is_truncated(self) -> bool:
        """Whether something was left out."""
        return self.seen_bytes > len(self.head) + len(self.tail)

    def text(self) -> str:
        """Return it as text; what is no UTF-8 becomes U+FFFD, and a gap is told."""
        head, tail = (part.decode("utf-8", "replace") for part in (self.head, self.tail))
        if not self.is_truncated:
            return (self.head + self.tail).decode("utf-8", "replace")
        missing = self.seen_bytes - len(self.head) - len(self.tail)
        return f"{head}\n[... {missing} bytes left out ...]\n{tail}"
