from __future__ import annotations

import pytest

from mcp_server.security.doors.answer import Answer


def test_only_an_accepted_answer_is_accepted() -> None:
    assert Answer("accept", {"name": "Ada"})["name"] == "Ada"
    assert [Answer(action).accepted for action in ("accept", "decline", "cancel", "ACCEPT", "")] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_an_answer_that_was_declined_holds_nothing() -> None:
    with pytest.raises(KeyError):
        Answer("decline")["name"]
