from __future__ import annotations

import pytest

from mcp_server.security.permissions.grant_limits import GrantLimits, shown_time

HOUR = 3600.0


@pytest.mark.parametrize(
    ("limits", "now", "holds"),
    [
        (GrantLimits("k"), None, True),
        (GrantLimits("k", expires=HOUR), None, False),
        (GrantLimits("k", not_before=HOUR), None, False),
        (GrantLimits("k", not_before=HOUR), HOUR - 0.001, False),
        (GrantLimits("k", not_before=HOUR), HOUR, True),
        (GrantLimits("k", expires=HOUR), HOUR - 0.001, True),
        (GrantLimits("k", expires=HOUR), HOUR, False),
        (GrantLimits("k", max_uses=3), None, True),
    ],
)
def test_a_grant_holds_from_its_beginning_to_before_its_end(
    limits: GrantLimits, now: float | None, holds: bool
) -> None:
    assert limits.holds_at(now) is holds


@pytest.mark.parametrize(
    ("limits", "now", "reason"),
    [
        (GrantLimits("k", expires=HOUR), None, "nobody says what time it is"),
        (GrantLimits("k", not_before=HOUR), 0.0, "it holds from 1970-01-01T01:00:00Z on"),
        (GrantLimits("k", expires=HOUR), HOUR, "it expired at 1970-01-01T01:00:00Z"),
        (GrantLimits("k", max_uses=3), HOUR, "its uses (3) are used up"),
    ],
)
def test_what_holds_no_more_says_why(limits: GrantLimits, now: float | None, reason: str) -> None:
    assert reason in limits.reason_at(now)


def test_the_edges_are_the_times_at_which_something_changes() -> None:
    assert GrantLimits("k", not_before=1.0, expires=2.0).edges == (1.0, 2.0)
    assert GrantLimits("k", max_uses=1).edges == ()
    assert shown_time(1_900_000_000.5) == "2030-03-17T17:46:40.500000Z"
