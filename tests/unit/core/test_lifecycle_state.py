from __future__ import annotations

from mcp_server.core.lifecycle_state import LifecycleState


def test_the_states_stand_in_their_order() -> None:
    assert [each.value for each in LifecycleState] == ["new", "open", "closed"]
