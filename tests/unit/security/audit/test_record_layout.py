from __future__ import annotations

import pytest

from mcp_server.security.audit.record_layout import RecordLayout


def test_names_stand_in_canonical_order_with_the_link_last() -> None:
    names = list(RecordLayout("call.intent", ["tool", "args", "call", "trace"], stream="main").template)
    assert names == sorted(names)
    assert names[-1] == "x_prev"


@pytest.mark.parametrize("name", ["kind", "mono", "seq", "stream", "ts", "v", "x_prev", "x_zzz", "y", "é"])
def test_name_that_is_taken_or_sorts_behind_the_link_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"itself writes|must be last"):
        RecordLayout("call.done", [name], stream="main")


def test_intent_without_a_call_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must name its call"):
        RecordLayout("call.intent", ["tool"], stream="main")
