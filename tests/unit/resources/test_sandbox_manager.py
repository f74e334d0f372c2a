"""What a machine is found to give, and who gets what: the real machine, less what a test takes away."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.sandbox_manager import SandboxManager

ALLOW_ALL = bytes.fromhex("060000000000ff7f")
ACCOUNTS = (210_000, 210_063) if os.getuid() == 0 else None

Make = Callable[..., SandboxManager]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[SandboxManager] = []
    # Where the accounts of sandboxes can walk to, which is not so of pytest's own directories.
    with tempfile.TemporaryDirectory(prefix="mcp-server-test-") as staging:
        Path(staging).chmod(0o711)

        def make(**options: object) -> SandboxManager:
            options = {"accounts": ACCOUNTS, "warm_workers": 0, "staging": staging} | options
            made.append(SandboxManager(config=SandboxConfig(**options)))  # type: ignore[arg-type]
            return made[-1]

        yield make
        for manager in made:
            asyncio.run(manager.rest())
            manager.close()
            manager.close()


@pytest.fixture
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlGroups, "find", classmethod(lambda cls: None))


@pytest.fixture
def no_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel from before it, so that there is no weaker tier to be found instead."""
    real = Landlock.__init__

    def without(self: Landlock) -> None:
        real(self)
        self.abi = 0

    monkeypatch.setattr(Landlock, "__init__", without)


def run(manager: SandboxManager, code: str) -> str:
    async def work() -> str:
        request = ExecutionRequest(policy=manager.policy(), code=code)
        result = await manager.execution.run(request, owner=manager.owner("a"))
        await manager.rest()
        return result.stdout.text()

    return asyncio.run(work())


def test_on_a_machine_that_has_everything_namespaces_hold(make: Make) -> None:
    manager = make()
    assert manager.tier >= IsolationTier.NS
    assert manager.is_sufficient
    assert manager.can_run
    assert asyncio.run(manager.attack()) == []
    assert run(manager, "print(6 * 7)") == "42\n"


def test_nothing_is_made_before_somebody_asks(make: Make) -> None:
    before = threading.active_count()
    manager = make()
    assert manager.findings == ()
    assert not manager.can_run
    assert threading.active_count() == before
    with pytest.raises(ResourceUnavailableError):
        asyncio.run(manager.attack())


def test_who_asks_within_a_loop_is_answered_and_once_is_enough(
    make: Make, no_groups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcp_server.resources.sandbox_examiner import SandboxExaminer

    examined = []
    real = SandboxExaminer.examine
    monkeypatch.setattr(SandboxExaminer, "examine", lambda self: examined.append(1) or real(self))
    manager = make()

    async def ask() -> list[IsolationTier]:
        return await asyncio.gather(*(asyncio.to_thread(lambda: manager.tier) for _ in range(3)))

    assert set(asyncio.run(ask())) == {IsolationTier.NS}
    assert examined == [1]


def test_root_without_accounts_executes_nothing_and_is_told_what_to_do(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    manager = make(accounts=None)
    assert manager.tier is IsolationTier.NONE
    assert not manager.is_sufficient
    assert "accounts = [210000, 210063]" in manager.findings[0]
    assert "as another user" in manager.findings[0]
    for demanded in (IsolationTier.NS, IsolationTier.NONE):
        with pytest.raises(ResourceUnavailableError, match="ask the operator"):
            make(accounts=None, min_tier=demanded).execution  # noqa: B018 - asking is what is tested


def test_without_bubblewrap_nothing_of_that_tier_holds(
    make: Make, no_landlock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bubblewrap.__init__, "__defaults__", ("/nosuch/bwrap",))
    manager = make()
    assert manager.tier is IsolationTier.NONE
    assert "/nosuch/bwrap is not installed; install the package 'bubblewrap'" in manager.findings
    with pytest.raises(ResourceUnavailableError):
        manager.execution  # noqa: B018


def test_a_weaker_tier_is_found_and_not_taken_for_the_demanded_one(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bubblewrap.__init__, "__defaults__", ("/nosuch/bwrap",))
    manager = make()
    assert manager.tier < IsolationTier.NS
    assert not manager.is_sufficient
    with pytest.raises(ResourceUnavailableError, match="good enough"):
        manager.execution  # noqa: B018


def test_a_barrier_that_does_not_hold_is_found_by_attacking_it(
    make: Make, no_landlock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SeccompFilter, "base", staticmethod(lambda *arguments, **options: ALLOW_ALL))
    manager = make()
    assert manager.tier is IsolationTier.NONE
    assert any("does not hold against" in each and "set user id" in each for each in manager.findings)
    # What is not there cannot be had by demanding nothing.
    with pytest.raises(ResourceUnavailableError):
        make(min_tier=IsolationTier.NONE).execution  # noqa: B018


def test_a_wrapped_program_that_leaves_something_out_is_found(
    make: Make, no_landlock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Bubblewrap.options

    def without_a_network(self: Bubblewrap, **given: object) -> list[str]:
        return real(self, **(given | {"shares_network": True}))  # type: ignore[arg-type]

    monkeypatch.setattr(Bubblewrap, "options", without_a_network)
    monkeypatch.setattr(SeccompFilter, "base", staticmethod(lambda *arguments, **options: ALLOW_ALL))
    manager = make()
    assert manager.tier is IsolationTier.NONE
    assert any("loopback" in each and "abstract socket" in each for each in manager.findings)


def test_a_sandbox_that_cannot_be_made_is_a_finding_with_its_cause(
    make: Make, no_landlock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SeccompFilter, "base", staticmethod(lambda *arguments, **options: b"\0" * 8))
    manager = make()
    assert manager.tier is IsolationTier.NONE
    assert any("doctor" in each and "bwrap: " in each for each in manager.findings)


def test_a_tier_below_the_demanded_one_executes_nothing(make: Make, no_groups: None) -> None:
    manager = make(min_tier=IsolationTier.FULL)
    assert manager.tier is IsolationTier.NS
    assert not manager.is_sufficient
    assert any("control group" in each for each in manager.findings)
    with pytest.raises(ResourceUnavailableError, match="good enough"):
        manager.execution  # noqa: B018


def test_a_policy_is_never_wider_than_what_the_operator_says(make: Make) -> None:
    manager = make(limits=ResourceLimits(wall_seconds=10), min_tier=IsolationTier.FULL)
    assert manager.policy().limits == ResourceLimits(wall_seconds=10)
    assert manager.policy(timeout_seconds=3).limits.wall_seconds == 3
    for foolish in (11, 0, -1, float("nan"), float("inf")):
        assert manager.policy(timeout_seconds=foolish).limits.wall_seconds == 10
    assert manager.policy().min_tier is IsolationTier.FULL
    assert (manager.policy().may_execute, manager.policy().may_write) == (False, False)
    with pytest.raises(ValueError, match="LD_PRELOAD"):
        manager.policy(environment={"LD_PRELOAD": "x"})


def test_each_client_has_an_account_of_its_own_while_there_are_some(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    manager = make(accounts=(210_000, 210_001))
    assert manager.owner("a") == (210_000, 210_000)
    assert manager.owner("b") == (210_001, 210_001)
    for _ in range(2):
        with pytest.raises(LimitExceededError) as caught:
            manager.owner("c")
        assert caught.value.limit == "sandbox_accounts"
    assert (manager.owner("a"), manager.owner("b")) == ((210_000, 210_000), (210_001, 210_001))


def test_clients_that_come_at_once_do_not_share_an_account(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    manager = make(accounts=(210_000, 210_063))
    found: list[tuple[int, int] | None] = []
    threads = [threading.Thread(target=lambda n=n: found.append(manager.owner(str(n)))) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 64


def test_who_is_not_root_runs_sandboxes_as_itself(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert make(accounts=None).owner("a") is None


def test_a_closed_one_executes_nothing(make: Make) -> None:
    manager = make()
    assert run(manager, "print(1)") == "1\n"
    manager.close()
    with pytest.raises(ResourceUnavailableError, match="ask the operator"):
        manager.execution  # noqa: B018
    assert "mcp-server-launcher" not in {thread.name for thread in threading.enumerate()}
