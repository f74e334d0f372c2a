from __future__ import annotations

from mcp_server.errors.limit_exceeded_error import LimitExceededError


def test_it_names_the_limit_and_when_to_come_back() -> None:
    error = LimitExceededError("calls_per_minute", "too many", retry_after_seconds=1.5)
    assert (error.limit, error.retry_after_seconds) == ("calls_per_minute", 1.5)
    assert LimitExceededError("timeout", "too long").retry_after_seconds is None
