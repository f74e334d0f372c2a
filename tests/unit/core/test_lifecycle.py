from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mcp_server.core import lifecycle as lifecycle_module
from mcp_server.core.lifecycle import Lifecycle
from mcp_server.core.lifecycle_state import LifecycleState
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.log_state import LogState
from mcp_server.security.security_tier import SecurityTier
from mcp_server.tools.module import Module


def lifecycle_of(directory: Path, *modules: Module, **settings: Any) -> Lifecycle:
    server = MCPServer("desk", version="3", state=directory / "state", **settings)
    for module in modules:
        server.register_module(module)
    return server.lifecycle()


def records(directory: Path, stream: str = "local") -> list[dict[str, Any]]:
    return list(AuditReader(directory / "state" / "audit" / stream).records())


def kinds(directory: Path, stream: str = "local") -> list[str]:
    return [str(each["kind"]) for each in records(directory, stream)]


def test_a_server_opens_once_and_closes_for_good(tmp_path: Path) -> None:
    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path)
        assert lifecycle.state is LifecycleState.NEW
        await lifecycle.open()
        assert lifecycle.state is LifecycleState.OPEN
        with pytest.raises(ConfigurationError, match="opened once"):
            await lifecycle.open()
        await lifecycle.close("done")
        assert lifecycle.state is LifecycleState.CLOSED
        await lifecycle.close("done again")
        with pytest.raises(ConfigurationError, match="opened once"):
            await lifecycle.open()

    asyncio.run(work())
    assert kinds(tmp_path) == ["log.open", "server.start", "server.stop", "log.close"]
    start, stop = records(tmp_path)[1:3]
    assert (start["name"], start["version"], len(start["policy"])) == ("desk", "3", 64)
    assert stop["reason"] == "done"
    assert AuditVerifier().verify(tmp_path / "state" / "audit" / "local", deep=True).is_intact


def test_closing_before_opening_is_harmless(tmp_path: Path) -> None:
    lifecycle = lifecycle_of(tmp_path)
    asyncio.run(lifecycle.close("never began"))
    assert lifecycle.state is LifecycleState.NEW
    assert not (tmp_path / "state").exists()


def test_the_state_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path)
        await lifecycle.open()
        await lifecycle.close("done")

    mask = os.umask(0)
    try:
        asyncio.run(work())
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_state_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ConfigurationError, match="--state"):
        asyncio.run(lifecycle_of(tmp_path).open())


def test_a_client_that_the_policy_does_not_name_is_told_whom_it_names(tmp_path: Path) -> None:
    policy = tmp_path / "desk.toml"
    policy.write_text("version = 1\n[client.ada]\n[client.bob]\n")
    policy.chmod(0o600)
    with pytest.raises(ConfigurationError, match="it names ada, bob"):
        asyncio.run(lifecycle_of(tmp_path, policy=policy, client="eve").open())
    assert not (tmp_path / "state").exists()


def test_a_second_server_of_the_same_client_takes_the_next_stream(tmp_path: Path) -> None:
    async def work() -> None:
        first, second = lifecycle_of(tmp_path), lifecycle_of(tmp_path)
        await first.open()
        await second.open()
        await first.close("done")
        await second.close("done")

    asyncio.run(work())
    assert kinds(tmp_path, "local") == kinds(tmp_path, "local.2")


def test_there_are_only_so_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle_module, "MAX_AUDIT_STREAMS", 1)

    async def work() -> None:
        first = lifecycle_of(tmp_path)
        await first.open()
        with pytest.raises(ConfigurationError, match="running already"):
            await lifecycle_of(tmp_path).open()
        await first.close("done")

    asyncio.run(work())


def test_modules_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    events: list[str] = []

    def module(name: str) -> Module:
        module = Module(name)

        class Hooks:
            async def start(self) -> None:
                events.append(f"start {name}")

            async def stop(self) -> None:
                events.append(f"stop {name}")

        hooks = Hooks()
        module.on_start(hooks.start)
        module.on_stop(hooks.stop)
        return module

    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path, module("a"), module("b"))
        await lifecycle.open()
        await lifecycle.close("done")

    asyncio.run(work())
    assert events == ["start a", "start b", "stop b", "stop a"]


def test_a_module_that_fails_to_start_leaves_nothing_open(tmp_path: Path) -> None:
    module = Module("broken")

    async def start() -> None:
        raise RuntimeError("no database")

    module.on_start(start)

    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path, module)
        with pytest.raises(ConfigurationError, match="broken"):
            await lifecycle.open()
        assert lifecycle.state is LifecycleState.CLOSED
        assert lifecycle.security.audit.state is LogState.CLOSED
        # The stream is free again.
        following = lifecycle_of(tmp_path)
        await following.open()
        await following.close("done")

    asyncio.run(work())
    assert kinds(tmp_path)[:4] == ["log.open", "server.start", "server.stop", "log.close"]
    assert records(tmp_path)[2]["reason"] == "start failed"


def test_an_end_that_cannot_be_recorded_is_logged_and_everything_else_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path)
        await lifecycle.open()
        writer = lifecycle.security.audit._writer
        assert writer is not None
        writer.fail("the disk is broken")
        await lifecycle.close("done")
        assert lifecycle.security.audit.state is LogState.CLOSED

    asyncio.run(work())
    assert "could not be recorded" in caplog.text


def test_children_end_with_a_server_that_owns_its_process_and_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(lifecycle_module.ProcessTree, "kill_descendants", lambda tree, pid: killed.append(pid))

    async def work(directory: Path, **how: bool) -> None:
        lifecycle = lifecycle_of(directory)
        await lifecycle.open()
        await lifecycle.close("done", **how)

    with subprocess.Popen(["sh", "-c", "read line"], stdin=subprocess.PIPE) as child:
        asyncio.run(work(tmp_path / "embedded"))
        assert killed == []
        asyncio.run(work(tmp_path / "own", kills_children=True))
        assert killed == [os.getpid()]
        child.communicate(b"\n")


class Timer:
    """Collects what would be called later."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.was_cancelled = False

    def __call__(self, seconds: float, function: Any, *args: Any) -> Timer:
        self.calls.append(lambda: function(*args))
        return self

    def cancel(self) -> None:
        self.was_cancelled = True


def policy_text(allow: str) -> str:
    return f'version = 1\n[client.local]\nfolders = ["folder"]\nallow = [{allow}]\n'


def test_a_policy_file_is_looked_at_and_a_change_is_in_force_and_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "desk.toml"
    path.write_text(policy_text('"FILE_READ **"'))
    path.chmod(0o600)
    timer = Timer()
    told: list[str] = []

    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path, policy=path)
        await lifecycle.open()
        assert lifecycle._poll is not None
        lifecycle._poll.cancel()
        lifecycle._watch_policy(timer)  # type: ignore[arg-type]
        lifecycle.protocol.hub.changed = lambda kind, uri=None: told.append(kind)  # type: ignore[method-assign]
        digest = lifecycle.security.permissions.policy.digest
        timer.calls.pop()()
        assert told == []
        path.write_text(policy_text('"FILE_READ **", "DIRECTORY_LIST **"'))
        timer.calls.pop()()
        assert lifecycle.security.permissions.policy.digest != digest
        assert told == ["tools", "prompts", "resources"]
        path.write_text("nonsense")
        timer.calls.pop()()
        assert len(told) == 3
        await lifecycle.close("done")
        assert timer.was_cancelled
        # A timer that fires all the same finds nothing to do.
        timer.calls.pop()()
        assert timer.calls == []

    asyncio.run(work())
    assert [each for each in kinds(tmp_path) if each.startswith("policy.")] == ["policy.loaded", "policy.rejected"]


def test_a_policy_of_the_program_has_no_file_to_read_again(tmp_path: Path) -> None:
    async def work() -> None:
        lifecycle = lifecycle_of(tmp_path)
        await lifecycle.open()
        assert lifecycle._poll is None
        assert not lifecycle.reload_policy()
        await lifecycle.close("done")

    asyncio.run(work())


def test_folders_that_hold_the_servers_own_state_are_given_to_nobody(tmp_path: Path) -> None:
    lifecycle = lifecycle_of(tmp_path, Module("probe"), folders=[tmp_path])
    with pytest.raises(ConfigurationError, match="overlap"):
        asyncio.run(lifecycle.open())
    assert lifecycle.state is LifecycleState.NEW


def test_folders_within_the_servers_own_state_are_given_to_nobody(tmp_path: Path) -> None:
    inside = tmp_path / "state" / "audit"
    inside.mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="overlap"):
        asyncio.run(lifecycle_of(tmp_path, Module("probe"), folders=[inside]).open())


def test_keys_are_fetched_one_fetch_at_a_time_and_not_after_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "desk.toml"
    policy.write_text(
        'version = 1\n[client.local]\n[issuer.as]\nissuer = "a"\naudience = "b"\nkey_url = "https://id.example/keys"\n'
    )
    policy.chmod(0o600)
    # Time passes when the test says so.
    monkeypatch.setattr(lifecycle_module, "POLICY_POLL_SECONDS", 3600)
    began: list[str] = []
    ended: list[str] = []

    async def work() -> None:
        hold = asyncio.Event()
        call_later = asyncio.get_running_loop().call_later

        async def refresh(self: SecurityTier) -> None:
            began.append("fetch")
            try:
                if len(began) == 1:
                    await hold.wait()
                    raise KeyError("a bug")
                await asyncio.Event().wait()
            finally:
                ended.append("fetch")

        monkeypatch.setattr(SecurityTier, "refresh_keys", refresh)
        lifecycle = lifecycle_of(tmp_path, policy=policy)
        await lifecycle.open()
        for _ in range(3):
            await asyncio.sleep(0)
            lifecycle._watch_keys(call_later)
        assert began == ["fetch"]
        hold.set()
        assert lifecycle._fetching is not None
        await asyncio.wait([lifecycle._fetching])
        # A bug in one fetch does not end the looking.
        lifecycle._watch_keys(call_later)
        await asyncio.sleep(0)
        await lifecycle.close("done")
        lifecycle._watch_keys(call_later)
        assert (began, ended) == (["fetch"] * 2, ["fetch"] * 2)

    asyncio.run(work())


def test_a_policy_whose_keys_are_missing_stops_the_start(tmp_path: Path) -> None:
    policy = tmp_path / "desk.toml"
    policy.write_text('version = 1\n[client.local]\n[issuer.as]\nissuer = "a"\naudience = "b"\nlocal_keys = true\n')
    policy.chmod(0o600)
    with pytest.raises(ConfigurationError, match="mcp-server keys generate as"):
        asyncio.run(lifecycle_of(tmp_path, policy=policy).open())
