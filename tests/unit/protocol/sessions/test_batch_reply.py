"""One array when the last answer is there."""

from __future__ import annotations

import pytest

from mcp_server.protocol.sessions.batch_reply import BatchReply


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([b"1", b"2"], [[b"1", b"2"]]),
        ([b"1", None], [[b"1"]]),
        ([None, b"2"], [[b"2"]]),
        ([None, None], []),
        ([b"1"], []),
    ],
)
def test_answers_are_sent_together(answers: list[bytes | None], expected: list[list[bytes]]) -> None:
    sent: list[list[bytes]] = []
    reply = BatchReply(expected=2, send=sent.append)
    for answer in answers:
        reply.add(answer)
    assert sent == expected


def test_nothing_expected_is_nothing_sent() -> None:
    sent: list[list[bytes]] = []
    BatchReply(expected=0, send=sent.append)
    assert sent == []
