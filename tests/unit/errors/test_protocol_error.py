from __future__ import annotations

from mcp_server.errors.protocol_error import ProtocolError


def test_it_is_the_answer_it_will_be() -> None:
    error = ProtocolError(-32601, "no such method", {"method": "x"})
    assert (error.code, error.message, error.data) == (-32601, "no such method", {"method": "x"})
    assert ProtocolError(-32600, "no").data is None
