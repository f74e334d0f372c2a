"""The link between two records, which is at the same time the leaf of a Merkle tree (RFC 6962, section 2.1)."""

from __future__ import annotations

from binascii import hexlify
from hashlib import sha256
from typing import Final

LEAF_PREFIX: Final = b"\x00"
GENESIS: Final = b"0" * 64

# `x_prev` sorts behind every other name, so it stands at a fixed distance from the end of a line and the chain can be
# checked without a JSON parser.
_LINK_START: Final = b',"x_prev":"'
_LINK_END: Final = b'"}'
LINK_LENGTH: Final = len(_LINK_START) + len(GENESIS) + len(_LINK_END)


def leaf_hash(line: bytes) -> bytes:
    """Return the RFC 6962 leaf hash of a line without its newline, as 64 lower-case hexadecimal digits.

    >>> leaf_hash(b"")
    b'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    return hexlify(sha256(LEAF_PREFIX + line).digest())


def link_to(leaf: bytes) -> bytes:
    """Return how a line must end that follows the record with this leaf hash.

    >>> link_to(GENESIS)[:14]
    b',"x_prev":"000'
    """
    return _LINK_START + leaf + _LINK_END
