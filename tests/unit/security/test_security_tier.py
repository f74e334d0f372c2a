"""What the tier builds, and the clearing of a client's folders after they were opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.security.audit.log_state import LogState
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.security_config import SecurityConfig
from mcp_server.security.security_tier import SecurityTier
from tests.security.chain.chain_rig import nothing, operation

ADA = Principal("ada", ())
LOCAL = Credentials(transport="memory", profile="local")
LEFT_BEHIND = f".mcp-server-{'0' * 32}.tmp"


class Sweeps:
    """Counts the sweeps, and says when one is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sweep: Callable[[FileSystemManager], int]) -> None:
        self.count = 0
        self.over = asyncio.Event()

        def counted(files: FileSystemManager) -> int:
            self.count += 1
            try:
                return sweep(files)
            finally:
                loop.call_soon_threadsafe(self.over.set)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(FileSystemManager, "sweep", counted)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / LEFT_BEHIND).write_text("half")
    (folder / "a.txt").write_text("whole")
    return folder


@asynccontextmanager
async def tier(tmp_path: Path, sweep_after_seconds: float) -> AsyncIterator[SecurityTier]:
    # One thread, so that one thing ends before the next begins.
    resources = ResourceTier(config=ResourceConfig(state_directory=tmp_path / "state", max_threads=1))
    policy = Policy.for_folders([str(tmp_path / "folder")], client="ada")
    security = SecurityTier(
        config=SecurityConfig(policy=policy, audit_directory=tmp_path / "state"),
        resources=resources,
        sweep_after_seconds=sweep_after_seconds,
    )
    security.audit.open()
    try:
        yield security
    finally:
        resources.close()
        security.close()


def test_what_a_crash_left_behind_is_removed_once(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        sweeps = Sweeps(monkeypatch, FileSystemManager.sweep)
        async with tier(tmp_path, 0.0) as security:
            record = security.clients.record(ADA)
            assert sweeps.count == 0
            async with asyncio.timeout(10):
                await sweeps.over.wait()
            assert security.clients.record(ADA) is record
        assert sweeps.count == 1

    asyncio.run(run())
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_a_sweep_that_fails_is_logged_and_nothing_else(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(files: FileSystemManager) -> int:
        raise OSError("the disk is gone")

    async def run() -> None:
        sweeps = Sweeps(monkeypatch, broken)
        async with tier(tmp_path, 0.0) as security:
            files = security.clients.record(ADA).files
            async with asyncio.timeout(10):
                await sweeps.over.wait()
                # Behind it in the queue of the one thread, so that its end has been logged.
                await security._resources.pool.run("ada", int)
            assert files is not None
            assert files.read(files.locate("a.txt")).data == b"whole"

    caplog.set_level(logging.ERROR)
    asyncio.run(run())
    assert "could not be cleared" in caplog.text


def test_nothing_is_swept_after_the_end(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        sweeps = Sweeps(monkeypatch, FileSystemManager.sweep)
        async with tier(tmp_path, 0.0) as security:
            security.clients.record(ADA)
        await asyncio.sleep(0)
        assert sweeps.count == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert (folder / LEFT_BEHIND).exists()


def test_a_pool_that_is_closed_sweeps_nothing(tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with tier(tmp_path, 0.0) as security:
            security.clients.record(ADA)
            security._resources.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert "were not cleared" in caplog.text

    asyncio.run(run())


def test_folders_are_opened_without_a_loop_too(tmp_path: Path, folder: Path) -> None:
    security = SecurityTier(
        config=SecurityConfig(
            policy=Policy.for_folders([str(folder)], client="ada"), audit_directory=tmp_path / "state"
        ),
        resources=ResourceTier(config=ResourceConfig()),
    )
    assert security.clients.record(ADA).files is not None
    security.clients.close()


@pytest.fixture
def resources(tmp_path: Path) -> Iterator[ResourceTier]:
    tier = ResourceTier(config=ResourceConfig(state_directory=tmp_path / "state"))
    yield tier
    tier.close()


def built(resources: ResourceTier, directory: Path, *folders: Path) -> SecurityTier:
    config = SecurityConfig(policy=Policy.for_folders(folders), audit_directory=directory / "state" / "audit")
    return SecurityTier(config=config, resources=resources)


def test_it_builds_a_chain_that_runs(resources: ResourceTier, tmp_path: Path) -> None:
    security = built(resources, tmp_path, tmp_path)
    (tmp_path / "state").mkdir()
    security.audit.open()

    async def call() -> Any:
        return await security.chain.run(LOCAL, lambda principal: operation(nothing))

    folderless = SecurityTier(
        config=SecurityConfig(policy=Policy.for_folders([]), audit_directory=tmp_path / "second"), resources=resources
    )
    folderless.audit.open()

    async def call_without_folders() -> Any:
        return await folderless.chain.run(LOCAL, lambda principal: operation(nothing))

    assert asyncio.run(call_without_folders()) == "done"
    # A folder that holds the server's own state is given to nobody.
    with pytest.raises(Exception, match="cannot be opened"):
        asyncio.run(call())
    for each in (security, folderless):
        each.close()
        assert each.audit.state is LogState.CLOSED


def test_a_profiles_folders_and_limits_become_roots(resources: ResourceTier, tmp_path: Path) -> None:
    for name in ("mine", "shared"):
        (tmp_path / name).mkdir()
    policy = PolicyLoader().parse(
        'version = 1\n[client.local]\nfolders = ["mine"]\nglobal_folders = ["shared"]\n'
        "limits = { workspace_bytes = 5, workspace_files = 3 }\n",
        base=tmp_path,
    )
    config = SecurityConfig(policy=policy, audit_directory=tmp_path / "audit")
    security = SecurityTier(config=config, resources=resources)
    files = security.clients.record(Principal("local", ())).files
    assert files is not None
    mine, shared = files.roots
    assert (mine.path, mine.is_global, mine.config.max_bytes) == (str(tmp_path / "mine"), False, 5)
    assert (shared.path, shared.is_global, shared.config.max_files) == (str(tmp_path / "shared"), True, 3)
    security.close()


def test_ids_of_calls_sort_and_differ_between_runs() -> None:
    first, second = SecurityTier._ids(), SecurityTier._ids()
    ids = [first() for _ in range(3)]
    assert len(set(ids)) == 3
    assert [each.split("-")[1] for each in ids] == ["1", "2", "3"]
    assert second().split("-")[0] != ids[0].split("-")[0]


def test_two_tiers_cannot_share_an_audit_log(resources: ResourceTier, tmp_path: Path) -> None:
    first, second = built(resources, tmp_path), built(resources, tmp_path)
    first.audit.open()
    with pytest.raises(ConfigurationError):
        second.audit.open()
    first.close()


def test_the_end_of_a_process_is_on_record_as_long_as_there_is_one(
    resources: ResourceTier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    security = built(resources, tmp_path)
    security.audit.open()
    records: list[Mapping[str, Any]] = []
    security.audit.subscribe(records.append)
    state = ProcessState(
        id="ab12",
        client="local",
        program="sh",
        arguments=("-c", "secret"),
        running=False,
        reason=EndReason.IDLE,
        exit_code=None,
        signal=None,
        seconds=1.0,
        stdout_bytes=0,
        stderr_bytes=0,
        tier=IsolationTier.NS,
    )
    resources.sandboxes._process_ended(state)
    resources.sandboxes._process_ended(replace(state, reason=None))
    told = [record for record in records if record["kind"] == "process.end"]
    assert [record["reason"] for record in told] == ["idle", "failed"]
    assert {key: told[0][key] for key in ("client", "process", "program", "tier")} == {
        "client": "local",
        "process": "ab12",
        "program": "sh",
        "tier": "ns",
    }
    assert "secret" not in str(told)
    security.close()
    # Nobody waits for it, so nobody could be told but the operator.
    resources.sandboxes._process_ended(state)
    assert "could not be recorded" in caplog.text
