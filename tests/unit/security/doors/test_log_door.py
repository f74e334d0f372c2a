from __future__ import annotations

import pytest

from mcp_server.security.doors.log_door import LEVELS, LogDoor
from tests.security.chain.fake_peer import FakePeer


def test_messages_reach_the_client_with_level_and_sender() -> None:
    peer = FakePeer()
    log = LogDoor(peer, "notes")
    log.debug("a")
    log.info({"b": 1})
    log.warning(["c"])
    log.error(None)
    log("emergency", "e")
    assert peer.news == [
        ("log", "debug", "a", "notes"),
        ("log", "info", {"b": 1}, "notes"),
        ("log", "warning", ["c"], "notes"),
        ("log", "error", None, "notes"),
        ("log", "emergency", "e", "notes"),
    ]


def test_a_nameless_sender_is_left_out() -> None:
    peer = FakePeer()
    LogDoor(peer, "").info("x")
    assert peer.news[0][3] is None


@pytest.mark.parametrize("level", ["INFO", "warn", "", "trace"])
def test_a_level_that_the_protocol_does_not_have_is_a_mistake(level: str) -> None:
    for peer in (None, FakePeer()):
        with pytest.raises(ValueError, match="unknown level"):
            LogDoor(peer, "notes")(level, "x")


def test_without_a_client_nothing_happens() -> None:
    for level in LEVELS:
        LogDoor(None, "notes")(level, "x")
    assert len(LEVELS) == 8
