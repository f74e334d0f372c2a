"""What the content values have in common when they are written out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any


def encode(data: bytes) -> str:
    """Return the data as base64 text, the form in which the protocol carries bytes."""
    return b64encode(data).decode("ascii")


def finish(
    block: dict[str, Any], annotations: Mapping[str, Any] | None, meta: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Add the two optional members that every block may carry, and return the block."""
    if annotations:
        block["annotations"] = dict(annotations)
    if meta:
        block["_meta"] = dict(meta)
    return block
