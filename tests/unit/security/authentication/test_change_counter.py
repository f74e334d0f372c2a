from __future__ import annotations

from mcp_server.security.authentication.change_counter import ChangeCounter


def test_each_change_has_a_number_of_its_own() -> None:
    counter = ChangeCounter()
    seen = [counter.number]
    for _ in range(3):
        counter.advance()
        seen.append(counter.number)
    assert sorted(set(seen)) == seen
