from __future__ import annotations

from mcp_server.testing.denial import Denial


def test_the_first_missing_permission_is_at_hand() -> None:
    denial = Denial(4030, "no", (("FILE_READ", "a"), ("FILE_WRITE", "b")))
    assert denial.permission == "FILE_READ"
    assert Denial(-32602, "unknown").permission is None
