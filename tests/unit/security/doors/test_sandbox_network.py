from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.doors.sandbox_network import MAX_REFUSALS, SandboxNetwork
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType

CONNECT = PermissionType.NETWORK_CONNECT


class Gate:
    """Grants until it is closed, and keeps what it is asked and told."""

    def __init__(self) -> None:
        self.is_closed = False
        self.asked: list[list[str]] = []
        self.notes: list[tuple[str, str]] = []
        self.stances: dict[str, Effect] = {}

    async def require_all(self, wanted: Sequence[tuple[PermissionType, str, str | None, Any]]) -> None:
        assert {each[0] for each in wanted} == {CONNECT}
        self.asked.append([each[1] for each in wanted])
        if self.is_closed:
            raise PermissionDeniedError("no")

    def could_allow(self, permission_type: PermissionType, resource: str) -> bool:
        return permission_type is CONNECT and not self.is_closed

    def stance(self, permission_type: PermissionType, resource: str) -> Effect | None:
        return self.stances.get(resource)

    def note(self, permission_type: PermissionType, resource: str, what: str) -> None:
        assert permission_type is CONNECT
        self.notes.append((resource, what))


@pytest.fixture
def gate() -> Gate:
    return Gate()


def network(gate: Gate, sandboxes: SandboxManager | None = None) -> SandboxNetwork:
    sandboxes = sandboxes or SandboxManager(config=SandboxConfig())
    return SandboxNetwork(gate=gate, sandboxes=sandboxes, client="ada")  # type: ignore[arg-type]


def permitted(gate: Gate, *named: Any) -> tuple[str, ...]:
    return asyncio.run(network(gate).permit(named))


def test_all_that_is_named_is_asked_for_at_once_in_its_one_form(gate: Gate) -> None:
    named = ("API.example.org.:443", "https://api.example.org/x", "[::ffff:10.0.0.1]:1", "db.example.org:5432")
    expected = ["api.example.org:443", "10.0.0.1:1", "db.example.org:5432"]
    assert permitted(gate, *named) == tuple(expected)
    assert gate.asked == [expected]


def test_nothing_is_asked_for_when_nothing_is_named(gate: Gate) -> None:
    assert permitted(gate) == ()
    assert gate.asked == []


@pytest.mark.parametrize("text", ["", "api.example.org", "0x7f.1:80", "a b:1", "api.example.org:0", "ftp://a.example/"])
def test_what_is_no_host_and_port_is_refused_before_anything_is_asked(gate: Gate, text: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=r"api\.example\.org:443"):
        permitted(gate, "api.example.org:443", text)
    assert gate.asked == []


def test_there_are_not_too_many(gate: Gate) -> None:
    assert len(permitted(gate, *(f"a.example:{port}" for port in range(1, 17)))) == 16
    with pytest.raises(InvalidArgumentsError, match="16"):
        permitted(gate, *(f"a.example:{port}" for port in range(1, 18)))


def test_one_that_is_not_granted_refuses_all(gate: Gate) -> None:
    gate.is_closed = True
    with pytest.raises(PermissionDeniedError):
        permitted(gate, "a.example:1", "b.example:1")


def test_addresses_are_judged_as_everywhere(gate: Gate) -> None:
    reachable, endpoint = network(gate), Endpoint.parse("api.example.org:443")
    reachable.admit(endpoint, ip_address("93.184.215.14"))
    for text in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"):
        with pytest.raises(PermissionDeniedError, match="not public"):
            reachable.admit(endpoint, ip_address(text))
    gate.stances = {"10.0.0.1:443": Effect.ALLOW, "93.184.215.14:443": Effect.DENY}
    reachable.admit(endpoint, ip_address("10.0.0.1"))
    with pytest.raises(PermissionDeniedError, match="denies"):
        reachable.admit(endpoint, ip_address("93.184.215.14"))


def test_what_is_taken_away_meanwhile_is_not_connected_to(gate: Gate) -> None:
    reachable, endpoint = network(gate), Endpoint.parse("93.184.215.14:443")
    reachable.admit(endpoint, ip_address("93.184.215.14"))
    gate.is_closed = True
    with pytest.raises(PermissionDeniedError, match="taken away"):
        reachable.admit(endpoint, ip_address("93.184.215.14"))


def test_each_decision_is_on_record_once_and_there_is_an_end_to_them(gate: Gate) -> None:
    reachable = network(gate)
    asyncio.run(reachable.permit(["a.example:443", "b.example:443"]))
    for _ in range(2):
        reachable._note("a.example:443", 200)
        reachable._note("a.example:443", 502)
    assert gate.notes == [("a.example:443", "proxy 200"), ("a.example:443", "proxy 502")]
    for number in range(1000):
        reachable._note(f"{number}.example:443", 403)
    # Whoever knocks everywhere does not hide what he reached.
    reachable._note("b.example:443", 200)
    assert len(gate.notes) == 2 + MAX_REFUSALS + 2
    assert gate.notes[-2:] == [("and more", "proxy 403"), ("b.example:443", "proxy 200")]


def test_what_a_run_asks_for_is_not_told_at_length(gate: Gate) -> None:
    network(gate)._note("secret." * 30 + "example:443", 403)
    ((shown, what),) = gate.notes
    assert (shown, what) == (("secret." * 30)[:96] + "...", "proxy 403")


def test_a_server_that_connects_to_nothing_has_no_proxy(gate: Gate) -> None:
    with pytest.raises(ResourceUnavailableError, match="connects to nothing"):
        network(gate).open_proxy(("a.example:443",))


def test_the_proxy_is_the_resource_tiers(gate: Gate) -> None:
    tier = ResourceTier(config=ResourceConfig())
    reachable = network(gate, tier.sandboxes)
    proxy = reachable.open_proxy(("a.example:443",))
    assert proxy._allowed == {b"a.example:443"}
    assert proxy._rules is reachable
    assert proxy._limits.max_tunnels == 16
    tier.close()
