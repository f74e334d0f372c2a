from __future__ import annotations

import pytest

from mcp_server.security.audit.call_role import CallRole
from mcp_server.security.audit.record_kind import KINDS, kind_named


def test_every_kind_fits_the_message_id_of_syslog() -> None:
    assert all(len(name) <= 32 and name.isascii() and name == kind.name for name, kind in KINDS.items())


def test_only_calls_have_roles() -> None:
    assert {name for name, kind in KINDS.items() if kind.role is not CallRole.NONE} == {
        *("call.intent", "call.done", "call.denied", "call.unknown")
    }


def test_any_well_formed_admin_action_is_a_kind() -> None:
    assert kind_named("admin.policy_replace").severity == 5


@pytest.mark.parametrize("name", ["", "call", "call.", "call.Done", "admin.", "admin.a\nb", "admin." + "x" * 40, "x.y"])
def test_unknown_kind_is_a_mistake_in_the_code(name: str) -> None:
    with pytest.raises(ValueError, match=r"not a kind"):
        kind_named(name)
