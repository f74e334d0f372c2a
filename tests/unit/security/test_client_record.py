from __future__ import annotations

from mcp_server.security.client_record import ClientRecord
from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.client_profile import ClientProfile


def test_a_record_begins_with_the_budget_of_a_whole_minute_and_nothing_running() -> None:
    profile = ClientProfile("ada", limits=ClientLimits(calls_per_minute=7))
    record = ClientRecord(profile=profile, files=None, now=12.5)
    assert (record.budget, record.budget_time) == (7.0, 12.5)
    assert (record.running, record.open_questions, record.view) == (0, 0, None)


def test_two_records_share_no_state() -> None:
    first, second = (ClientRecord(profile=ClientProfile("ada"), files=None, now=0.0) for _ in range(2))
    first.state["a"] = 1
    assert "a" not in second.state
