from __future__ import annotations

from mcp_server.security.authentication.authenticators.authenticator_set import AuthenticatorSet


def test_all_that_may_have_changed_is_looked_at() -> None:
    looked: list[str] = []

    def look(name: str, has_changed: bool) -> bool:
        looked.append(name)
        return has_changed

    found = AuthenticatorSet((), watched=(lambda: look("a", True), lambda: look("b", True), lambda: look("c", False)))
    found.look()
    assert (looked, found.changes.number) == (["a", "b", "c"], 2)
    quiet = AuthenticatorSet((), watched=(lambda: False,))
    quiet.look()
    assert quiet.changes.number == 1
