"""A message whose signature holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What was signed, and by whom.

    Args:
        owner: The client whose key it is.
        key_id: The key.
        message: The message, read again from the bytes that the signature is over, so that what was verified is what
            runs: `1.0` and `1` are one number there.
        digest: SHA-256 of the signature, base64url: what an answer to it names.
        token_digest: SHA-256 of the access token that it goes with, base64url; None for none.

    >>> SignedMessage("ada", "key-1", {"method": "ping"}, digest="d").token_digest
    """

    owner: str
    key_id: str
    message: dict[str, Any] = field(repr=False)
    digest: str
    token_digest: str | None = None
