from __future__ import annotations

from mcp_server.security.running_call import RunningCall


def test_a_call_begins_neither_cancelled_nor_expired_nor_ended() -> None:
    call = RunningCall(call_id="c1", peer=None, task=None, started=1.0, deadline=2.0)
    assert [call.is_cancelled, call.is_expired, call.has_ended] == [False, False, False]
    assert call.waiting == 0


def test_two_calls_are_never_the_same() -> None:
    calls = {RunningCall(call_id="c1", peer=None, task=None, started=1.0, deadline=2.0) for _ in range(2)}
    assert len(calls) == 2
