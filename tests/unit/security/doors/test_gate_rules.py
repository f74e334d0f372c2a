from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.security.doors.gate_rules import GateRules
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType

NAME = Endpoint("a.example", 443)


class Gate:
    """Says what it is told to of each resource, and keeps what it was asked."""

    def __init__(self, **stances: Effect) -> None:
        self.stances = stances
        self.asked: list[tuple[str, str]] = []

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append((permission_type, resource))

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        return False

    def stance(self, permission_type: PermissionType, resource: str) -> Effect | None:
        self.asked.append((permission_type, resource))
        return self.stances.get(resource)


def test_a_name_is_required() -> None:
    gate = Gate()
    asyncio.run(GateRules(gate).permit(Endpoint("::1", 80)))
    assert gate.asked == [("NETWORK_CONNECT", "[::1]:80")]


@pytest.mark.parametrize(
    ("address", "stance", "is_admitted"),
    [
        ("8.8.8.8", None, True),
        ("8.8.8.8", Effect.ASK, True),
        ("8.8.8.8", Effect.ALLOW, True),
        ("8.8.8.8", Effect.DENY, False),
        ("10.0.0.1", None, False),
        ("10.0.0.1", Effect.ASK, False),
        ("10.0.0.1", Effect.ALLOW, True),
        ("10.0.0.1", Effect.DENY, False),
    ],
)
def test_an_address_is_judged_by_kind_and_by_rule(address: str, stance: Effect | None, is_admitted: bool) -> None:
    gate = Gate(**({} if stance is None else {f"{address}:443": stance}))
    try:
        GateRules(gate).admit(NAME, ip_address(address))
    except PermissionDeniedError as error:
        is_refused = error.missing == (("NETWORK_CONNECT", "a.example:443"),) and address not in str(error)
        assert is_refused
        assert not is_admitted
    else:
        assert is_admitted
    assert gate.asked == [("NETWORK_CONNECT", f"{address}:443")]


def test_all_that_an_address_carries_is_judged() -> None:
    gate = Gate(**{"[64:ff9b::a00:1]:443": Effect.ALLOW})
    with pytest.raises(PermissionDeniedError, match="not public"):
        GateRules(gate).admit(NAME, ip_address("64:ff9b::a00:1"))
    assert [resource for _, resource in gate.asked] == ["[64:ff9b::a00:1]:443", "10.0.0.1:443"]


def test_what_was_written_out_was_decided_already() -> None:
    gate = Gate()
    GateRules(gate).admit(Endpoint("10.0.0.1", 443), ip_address("10.0.0.1"))
    assert gate.asked == []
    with pytest.raises(PermissionDeniedError):
        GateRules(gate).admit(Endpoint("64:ff9b::a00:1", 443), ip_address("64:ff9b::a00:1"))
