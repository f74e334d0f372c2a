"""What travels between the server and a broker."""

from __future__ import annotations

import os

import pytest

from mcp_server.resources.broker.frame import Frame


def test_closing_closes_what_was_handed_over() -> None:
    descriptors = tuple(os.open("/", os.O_RDONLY) for _ in range(2))
    Frame({}, b"", descriptors).close()
    for each in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(each)


def test_a_frame_may_hand_over_nothing() -> None:
    frame = Frame({"id": 1})
    frame.close()
    assert (frame.body, frame.descriptors) == (b"", ())
