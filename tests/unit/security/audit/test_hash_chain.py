"""The link of the chain is the leaf of the tree: checked by building published trees from it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from mcp_server.security.audit.hash_chain import GENESIS, LINK_LENGTH, leaf_hash, link_to

VECTORS = Path(__file__).parents[3] / "vectors" / "rfc6962"
REFERENCE = json.loads((VECTORS / "roots.json").read_text())
ASCII_INDEX = json.loads((VECTORS / "roots-ascii-index.json").read_text())


def root(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, straight from its definition."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


@pytest.mark.parametrize("size", sorted(map(int, REFERENCE["root_hex_by_size"])))
def test_reference_tree(size: int) -> None:
    leaves = [bytes.fromhex(leaf_hash(bytes.fromhex(leaf)).decode()) for leaf in REFERENCE["leaves_hex"][:size]]
    assert root(leaves).hex() == REFERENCE["root_hex_by_size"][str(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 255, 256, 257, 1000])
def test_tree_of_decimal_indices(size: int) -> None:
    leaves = [bytes.fromhex(leaf_hash(str(index).encode()).decode()) for index in range(size)]
    assert root(leaves).hex() == ASCII_INDEX["root_hex_by_size"][str(size)]


def test_link_has_a_fixed_length() -> None:
    assert len(link_to(GENESIS)) == LINK_LENGTH == 77
    assert link_to(leaf_hash(b"x")).endswith(b'"}')
