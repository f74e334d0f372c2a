"""What a read returned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileContent:
    """The bytes of a file, or a part of them.

    Args:
        data: The bytes.
        size: How large the file called itself, in bytes.
        modified: When it last changed, in seconds since the epoch.
        offset: Where `data` starts in the file.
        truncated: Whether the file goes on after `data`.

    >>> content = FileContent(b"abc", 3, 0.0)
    >>> content.sha256[:8], content.is_whole
    ('ba7816bf', True)
    """

    data: bytes
    size: int
    modified: float
    offset: int = 0
    truncated: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether `data` is the whole file."""
        return self.offset == 0 and not self.truncated

    @property
    def sha256(self) -> str:
        """SHA-256 of `data`, hexadecimal; fit for `if_match` when the file is whole. Computed when asked for."""
        import hashlib

        return hashlib.sha256(self.data).hexdigest()
