from __future__ import annotations

from mcp_server.resources.network.address_kind import AddressKind


def test_only_one_kind_is_public() -> None:
    assert [kind for kind in AddressKind if kind == "public"] == [AddressKind.PUBLIC]
