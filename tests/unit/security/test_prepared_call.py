from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.operation import Operation
from mcp_server.security.prepared_call import MAX_TIMEOUT_SECONDS, PreparedCall
from tests.security.chain.chain_rig import ChainRig, nothing, operation

TOOL = object()


def prepared(rig: ChainRig, plan: Operation, **settings: Any) -> PreparedCall:
    record = rig.clients.record(rig.authentication.authenticate(rig.local))
    known = {
        "client": "local",
        "record": record,
        "credentials": rig.local,
        "epoch": 1,
        "policy": "p1",
        "is_known": True,
    }
    return PreparedCall(plan, audit=rig.audit, **(known | settings))


def test_it_holds_for_the_same_definition_under_the_same_policy_only(rig: ChainRig) -> None:
    plan = operation(nothing, definition=TOOL)
    call = prepared(rig, plan)
    other = rig.clients.record(rig.authentication.authenticate(rig.other))
    assert call.holds_for(operation(nothing, definition=TOOL, arguments={"a": 1}), call.record, 1)
    assert not call.holds_for(plan, call.record, 2)
    assert not call.holds_for(plan, other, 1)
    assert not call.holds_for(operation(nothing, definition=object()), call.record, 1)


@pytest.mark.parametrize(
    ("of_the_tool", "seconds"), [(None, 30.0), (2.5, 2.5), (10 * MAX_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS)]
)
def test_the_time_limit_is_the_tools_or_the_clients_and_never_past_the_maximum(
    rig: ChainRig, of_the_tool: float | None, seconds: float
) -> None:
    call = prepared(rig, operation(nothing, timeout_seconds=of_the_tool))
    assert call.timeout_seconds == (call.record.profile.limits.timeout_seconds if of_the_tool is None else seconds)


def test_its_records_say_who_called_what_over_which_connection(rig: ChainRig) -> None:
    call = prepared(rig, operation(nothing, definition_hash="ab" * 32))
    what = {"client": "local", "conn": "m1", "method": "tools/call", "policy": "p1", "tool": "probe"}
    assert call.intent.constants == {**what, "tool_hash": "ab" * 32}
    assert call.whole.constants == {**what, "tool_hash": "ab" * 32, "out": {"is_error": False}}
    assert call.done.constants == {"client": "local", "tool": "probe", "out": {"is_error": False}}
