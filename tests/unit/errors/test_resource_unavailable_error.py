from __future__ import annotations

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError


def test_the_reason_is_a_word_for_programs() -> None:
    error = ResourceUnavailableError("missing", "'a.txt' does not exist")
    assert (error.reason, str(error)) == ("missing", "'a.txt' does not exist")
