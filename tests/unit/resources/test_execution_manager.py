from __future__ import annotations

import asyncio
import platform
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.landlock_rules import LandlockRules
from mcp_server.resources.isolation.relay import PORT, Relay
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.kernel.landlock import ACCESS_NET_CONNECT_TCP
from tests.security.isolation.sandbox_rig import request as request_of
from tests.security.isolation.sandbox_rig import rig_with

NO_EXECUTION = SeccompFilter.no_execution(platform.machine()).hex()


class Factory:
    """Makes nothing, and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[SandboxShape] = []

    async def make(self, shape: SandboxShape) -> Any:
        self.asked.append(shape)
        raise ResourceUnavailableError("missing", "no sandbox")

    def close(self) -> None:
        pass


def manager(tier: IsolationTier = IsolationTier.NS, abi: int = 7) -> tuple[ExecutionManager, Factory]:
    factory = Factory()
    made = ExecutionManager(factory=factory, landlock=LandlockRules(abi), tier=tier)  # type: ignore[arg-type]
    return made, factory


@pytest.mark.parametrize(
    ("has", "needs"),
    [(has, needs) for has in IsolationTier for needs in IsolationTier if has < needs],
)
def test_below_the_tier_that_is_needed_nothing_is_made(has: IsolationTier, needs: IsolationTier) -> None:
    made, factory = manager(has)
    with pytest.raises(ResourceUnavailableError, match=f"needs isolation '{needs.label}'.*gives '{has.label}'"):
        asyncio.run(made.run(request_of(code="1", min_tier=needs)))
    assert factory.asked == []


def test_a_sandbox_is_asked_for_by_what_cannot_be_changed_later() -> None:
    made, factory = manager()
    with pytest.raises(ResourceUnavailableError, match="no sandbox"):
        asyncio.run(made.run(request_of(code="1", tmp_bytes=5, workspace=9, may_write=True), owner=(1000, 1001)))
    assert factory.asked == [SandboxShape(5, 9, True, (1000, 1001))]


def test_without_a_network_of_its_own_nothing_with_a_network_is_made() -> None:
    reaching: dict[str, Any] = {"network": ("api.example:443",), "open_proxy": lambda allowed: None}
    made, factory = manager(IsolationTier.LSM)
    with pytest.raises(ResourceUnavailableError, match=r"'lsm' has no network of its own.*nothing was run"):
        asyncio.run(made.run(request_of(code="1", min_tier=IsolationTier.LSM, **reaching)))
    assert factory.asked == []
    for tier in (IsolationTier.NS, IsolationTier.FULL):
        made, factory = manager(tier)
        for options in (reaching, {}):
            with pytest.raises(ResourceUnavailableError, match="no sandbox"):
                asyncio.run(made.run(request_of(code="1", min_tier=IsolationTier.LSM, **options)))
        assert [shape.has_network for shape in factory.asked] == [True, False]


def test_the_job_of_what_may_reach_something() -> None:
    reaching: dict[str, Any] = {"network": ("api.example:443",), "open_proxy": lambda allowed: None}
    connect_only = SeccompFilter.connect_only(platform.machine()).hex()
    job = manager()[0].job(request_of(code="1", environment={"no_proxy": "*", "A": "1"}, **reaching), SandboxView())
    # What takes programs away takes further filters away, too, and so it is the last.
    assert job["filters"] == [connect_only, NO_EXECUTION]
    assert job["environment"] | Relay.environment() == job["environment"]
    assert job["environment"]["A"] == "1"
    assert job["landlock"]["ports"] == [(PORT, ACCESS_NET_CONNECT_TCP)]
    job = manager()[0].job(request_of(program="/bin/true", may_execute=True, **reaching), SandboxView())
    assert job["filters"] == [connect_only]


def test_the_job_of_a_snippet_takes_programs_away() -> None:
    job = manager()[0].job(request_of(code="print(1)", arguments=("a",), environment={"A": "1"}), SandboxView())
    assert job["filters"] == [NO_EXECUTION]
    assert (job["code"], job["program"], job["arguments"]) == ("print(1)", None, ["a"])
    assert job["environment"] == {
        "A": "1",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "TMPDIR": "/tmp",
    }
    assert job["landlock"] == LandlockRules(7).compile(SandboxPolicy(), SandboxView())


def test_the_job_of_a_program_leaves_them() -> None:
    job = manager()[0].job(request_of(program="/bin/true", may_execute=True), SandboxView())
    assert (job["filters"], job["code"], job["program"]) == ([], None, "/bin/true")
    assert "address_space_bytes" not in job["limits"]


def test_filters_that_are_not_in_place_yet_come_before_the_last() -> None:
    view = SandboxView(filters=(b"\1" * 8, b"\2" * 8), shares_processes=True, hidden="/x", workspace="/w")
    job = manager()[0].job(request_of(code="1"), view)
    assert job["filters"] == ["01" * 8, "02" * 8, NO_EXECUTION]
    assert (job["shares_processes"], job["hidden"], job["directory"]) == (True, "/x", "/w")
    job = manager()[0].job(request_of(code="1", may_execute=True), view)
    assert job["filters"] == ["01" * 8, "02" * 8]


def test_every_limit_of_the_policy_that_the_kernel_keeps_is_told() -> None:
    limits = ResourceLimits(cpu_seconds=1, memory_bytes=2, file_bytes=3, open_files=4, processes=5)
    job = manager()[0].job(request_of(code="1", **limits.to_json()), SandboxView())
    told = job["limits"]
    assert (told["cpu_seconds"], told["data_bytes"], told["file_bytes"], told["processes"]) == (1, 2, 3, 5)
    assert told["open_files"] >= 4
    assert told["address_space_bytes"] > 2
    # Nothing of it is written out at a crash; 1 is for handlers that the host runs, which do not ask for less.
    assert told["core_bytes"] in (0, 1)


def test_without_landlock_there_are_no_rules_to_tell() -> None:
    assert manager(abi=0)[0].job(request_of(code="1"), SandboxView())["landlock"] is None


def test_the_result_names_its_tier_and_its_policy() -> None:
    asked = request_of(code="print(1)", processes=50)
    with rig_with() as rig:
        result = asyncio.run(rig.run(asked))
    assert result.tier is IsolationTier.NS
    assert result.policy_digest == asked.policy.digest
    assert result.wall_seconds > 0
    assert result.cpu_seconds is not None
    assert result.peak_memory_bytes is not None


def test_runs_at_once_do_not_mix() -> None:
    async def work() -> list[str]:
        with rig_with(warm_workers=1) as rig:
            code = "import sys; sys.stdout.write(sys.stdin.read() * 1000)"
            results = await asyncio.gather(
                *(rig.run(request_of(code=code, stdin=str(number).encode())) for number in range(8))
            )
            await rig.execution.close()
            return [result.stdout.text() for result in results]

    assert asyncio.run(work()) == [str(number) * 1000 for number in range(8)]
