from __future__ import annotations

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.client_state import MAX_KEYS, ClientState


def test_it_is_a_mapping() -> None:
    state = ClientState()
    state.update(a=1, b=2)
    del state["a"]
    assert dict(state) == {"b": 2}
    assert len(state) == 1
    assert state.get("a", "none") == "none"
    with pytest.raises(KeyError):
        state["a"]


def test_it_holds_so_many_keys_and_no_more() -> None:
    state = ClientState()
    for number in range(MAX_KEYS):
        state[str(number)] = number
    with pytest.raises(LimitExceededError) as caught:
        state["one more"] = 1
    assert caught.value.limit == "client_state"
    state["0"] = "changed"
    del state["1"]
    state["one more"] = 1
    assert len(state) == MAX_KEYS
