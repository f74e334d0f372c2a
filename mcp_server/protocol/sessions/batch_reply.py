"""The answers to one batch, collected."""

from __future__ import annotations

from collections.abc import Callable


class BatchReply:
    """Collect the answers to the requests of a batch and send them as one array when the last is there.

    Args:
        expected: How many answers will come.
        send: Takes the answers, without those of requests that were taken back.

    Source: MCP 2025-03-26, basic, "Batching".

    >>> sent = []
    >>> reply = BatchReply(expected=2, send=sent.append)
    >>> reply.add(b"1"); reply.add(None); sent
    [[b'1']]
    """

    __slots__ = ("_answers", "_left", "_send")

    def __init__(self, *, expected: int, send: Callable[[list[bytes]], object]) -> None:
        self._left = expected
        self._answers: list[bytes] = []
        self._send = send

    def add(self, answer: bytes | None) -> None:
        """Take one answer, or None for a request that gets none."""
        self._left -= 1
        if answer is not None:
            self._answers.append(answer)
        if self._left == 0 and self._answers:
            self._send(self._answers)
