"""Base64url in its one canonical spelling."""

from __future__ import annotations

import base64
import re
from typing import Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode_base64url(data: bytes) -> str:
    """Return bytes as base64url without padding.

    Source: RFC 7515, section 2.

    >>> encode_base64url(b"\\xfb\\xff")
    '-_8'
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the bytes that `text` spells; each run of bytes has one spelling, and no other is read.

    A lenient reader takes padding, line breaks, stray characters and unused bits for nothing. Then one token has many
    texts, and what was revoked by its text comes back under another.

    Raises:
        ValueError: It is not base64url, is padded, or its unused bits are not zero.

    Source: RFC 7515, section 2; RFC 4648, sections 3.5 and 5.

    >>> decode_base64url("-_8")
    b'\\xfb\\xff'
    >>> decode_base64url("-_9")
    Traceback (most recent call last):
    ValueError: not canonical base64url
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not canonical base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data
