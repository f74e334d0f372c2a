from __future__ import annotations

from mcp_server.resources.network.egress_refused_error import EgressRefusedError


def test_the_answer_is_a_whole_message() -> None:
    head, _, body = EgressRefusedError(403, "not granted").answer().partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 403 Forbidden",
        b"Content-Type: text/plain",
        b"Content-Length: 12",
        b"Connection: close",
    ]
    assert body == b"not granted\n"
