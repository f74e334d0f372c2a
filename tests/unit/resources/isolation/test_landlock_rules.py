from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.landlock_rules import READ, WRITE, LandlockRules
from mcp_server.resources.isolation.relay import PORT
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.kernel import landlock
from mcp_server.resources.kernel.landlock import Landlock

POLICIES = st.builds(SandboxPolicy, may_execute=st.booleans(), may_write=st.booleans())
VIEWS = st.sampled_from(
    [
        SandboxView(),
        SandboxView(
            workspace="/s", scratch=("/s",), readable=("/etc/x",), devices=("/dev/null",), system=("/usr", "/lib")
        ),
    ]
)
ABIS = st.integers(1, 12)
EXECUTE = landlock.ACCESS_FS_EXECUTE


def rules(abi: int, policy: SandboxPolicy, view: SandboxView) -> dict[str, int]:
    compiled = LandlockRules(abi).compile(policy, view)
    assert compiled is not None
    found: list[tuple[str, int]] = compiled["rules"]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("abi", [0, -1])
def test_without_landlock_there_are_no_rules(abi: int) -> None:
    assert LandlockRules(abi).compile(SandboxPolicy(), SandboxView()) is None


@given(ABIS, POLICIES, VIEWS)
def test_everything_that_the_kernel_knows_is_handled_and_nothing_else(
    abi: int, policy: SandboxPolicy, view: SandboxView
) -> None:
    compiled = LandlockRules(abi).compile(policy, view)
    assert compiled is not None
    assert compiled["handled_fs"] == Landlock.fs_rights(abi)
    assert compiled["handled_net"] == Landlock.net_rights(abi)
    assert compiled["scoped"] == Landlock.scopes(abi)
    granted = reduce(int.__or__, rules(abi, policy, view).values())
    assert granted & ~compiled["handled_fs"] == 0


@given(ABIS, VIEWS)
def test_the_relay_alone_is_connected_to_and_nothing_bound(abi: int, view: SandboxView) -> None:
    closed = LandlockRules(abi).compile(SandboxPolicy(), view)
    opened = LandlockRules(abi).compile(SandboxPolicy(network=("api.example:443",)), view)
    assert closed is not None
    assert closed["ports"] == []
    # Below version 4 it knows no ports, and the namespace and the filter have to do.
    ports = [(PORT, landlock.ACCESS_NET_CONNECT_TCP)] if abi >= 4 else []
    assert opened == closed | {"ports": ports}


@given(ABIS, POLICIES, VIEWS)
def test_what_is_granted_is_what_the_policy_says(abi: int, policy: SandboxPolicy, view: SandboxView) -> None:
    found = rules(abi, policy, view)
    assert set(found) == {view.workspace, *view.scratch, *view.readable, *view.devices, *view.system}
    executable = {path for path, rights in found.items() if rights & EXECUTE}
    assert executable == ({view.workspace, *view.scratch, *view.system} if policy.may_execute else set())
    makes_files = {path for path, rights in found.items() if rights & landlock.ACCESS_FS_MAKE_REG}
    assert makes_files == {*view.scratch, *([view.workspace] if policy.may_write else [])}
    for path in (*view.readable, *view.system):
        assert not found[path] & landlock.ACCESS_FS_WRITE_FILE


@given(ABIS, POLICIES, VIEWS)
def test_nobody_makes_devices_sockets_or_pipes_with_a_name(abi: int, policy: SandboxPolicy, view: SandboxView) -> None:
    traps = (
        landlock.ACCESS_FS_MAKE_CHAR
        | landlock.ACCESS_FS_MAKE_BLOCK
        | landlock.ACCESS_FS_MAKE_SOCK
        | landlock.ACCESS_FS_MAKE_FIFO
        | landlock.ACCESS_FS_IOCTL_DEV
        | landlock.ACCESS_FS_RESOLVE_UNIX
    )
    assert not any(rights & traps for rights in rules(abi, policy, view).values())


@given(ABIS, POLICIES, POLICIES, VIEWS)
def test_a_narrower_policy_grants_no_more(
    abi: int, one: SandboxPolicy, other: SandboxPolicy, view: SandboxView
) -> None:
    narrow = rules(abi, one.narrow(other), view)
    for wide in (rules(abi, one, view), rules(abi, other, view)):
        assert all(rights & ~wide[path] == 0 for path, rights in narrow.items())


def test_writing_is_reading_and_more() -> None:
    assert WRITE & READ == READ
    assert not READ & (EXECUTE | landlock.ACCESS_FS_WRITE_FILE)
