from __future__ import annotations

import pytest

from mcp_server.security.audit.log_head import LogHead


def test_head_comes_back_as_it_was_written() -> None:
    head = LogHead(seq=9, segment=1, size=77, leaf="0a" * 32)
    assert LogHead.decode(head.encode()) == head


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"null\n",
        LogHead().encode()[:-1],
        LogHead().encode() + b"\n",
        LogHead().encode() * 2,
        LogHead().encode().replace(b"-1", b"-2"),
        LogHead().encode().replace(b'"size":0', b'"size":0.0'),
        LogHead().encode().replace(b'"size":0', b'"size":false'),
        LogHead().encode().replace(b'"size"', b'"SIZE"'),
    ],
)
def test_anything_else_is_damage(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a head file|EOF|expected|trailing"):
        LogHead.decode(data)
