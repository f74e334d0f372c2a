"""No sandbox at all: only where the policy and the command line both say so, and told with every result."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources import sandbox_examiner
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.testing import AuditView, ModuleClient
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.support.sandboxes import ACCOUNTS

POLICY = """
version = 1
[client.local]
allow = ["CODE_EXECUTION python"]
[sandbox]
min_tier = "{tier}"
staging = "{staging}"
{accounts}
"""
UNSAFE = "--unsafe-allow-unsandboxed"


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has neither namespaces nor Landlock."""
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "there is none here")
    monkeypatch.setattr(sandbox_examiner, "LSM_ABI", 10**6)


def server_of(folder: Path, *, tier: str = "none", **options: Any) -> MCPServer:
    folder.chmod(0o755)
    path = folder / "policy.toml"
    accounts = f"accounts = {list(ACCOUNTS)}" if os.getuid() == 0 else ""
    path.write_text(POLICY.format(tier=tier, staging=folder.parent / "staging", accounts=accounts), encoding="utf-8")
    path.chmod(0o600)
    server = MCPServer("none", policy=path, state=folder / "state", **options)
    server.register_module(ExecutionModule())
    return server


def act(
    server: MCPServer, doing: Callable[[ModuleClient], Coroutine[Any, Any, Any]]
) -> tuple[Any, list[AuditView], IsolationTier]:
    """Let a client act; return what came of it, the audit, and the tier that was found."""

    async def main() -> tuple[Any, list[AuditView], IsolationTier]:
        lifecycle = server.lifecycle()
        await lifecycle.open()
        audit: list[AuditView] = []
        lifecycle.security.audit.subscribe(lambda record: audit.append(AuditView(record)))
        client = MemoryClient(handler=lifecycle.protocol.handler, profile="local")
        try:
            await client.start()
            found = await doing(ModuleClient(client=client, audit=audit))
            return found, audit, lifecycle.resources.sandboxes.tier
        finally:
            await client.close()
            await lifecycle.close("test ended")

    return asyncio.run(main())


async def offered(client: ModuleClient) -> list[str]:
    return [tool["name"] for tool in (await client.request("tools/list"))["tools"]]


def test_the_policy_alone_does_not_start_the_server(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=UNSAFE):
        server_of(folder)


@pytest.mark.usefixtures("no_sandbox")
def test_the_switch_alone_changes_nothing(folder: Path) -> None:
    tools, _, tier = act(server_of(folder, tier="ns", unsafe_allow_unsandboxed=True), offered)
    assert "run_python" not in tools
    assert tier is IsolationTier.NONE


def test_where_there_is_a_sandbox_it_is_used(folder: Path) -> None:
    async def run(client: ModuleClient) -> Any:
        return await client.result("run_python", code="print(1)")

    result, _, tier = act(server_of(folder, unsafe_allow_unsandboxed=True), run)
    assert tier >= IsolationTier.NS
    assert result["_meta"]["dev.mcpserver/isolation"] == tier.label


@pytest.mark.usefixtures("no_sandbox")
def test_with_both_it_runs_contained_by_nothing_and_everybody_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    canary = folder / "canary.txt"
    canary.write_text("canary", encoding="utf-8")
    canary.chmod(0o644)

    async def run(client: ModuleClient) -> Any:
        return await client.result("run_python", code=f"print(open({str(canary)!r}).read())")

    result, audit, tier = act(server_of(folder, unsafe_allow_unsandboxed=True), run)
    assert tier is IsolationTier.NONE
    # That is what it means.
    assert result["structuredContent"]["stdout"] == "canary\n"
    assert result["structuredContent"]["isolation"] == "none"
    assert result["_meta"]["dev.mcpserver/isolation"] == "none"
    assert [each.fields["tier"] for each in audit if "tier" in each.fields] == ["none"]
    assert any("NOTHING CONTAINS" in each.message for each in caplog.records if each.levelno >= logging.WARNING)


@pytest.mark.usefixtures("no_sandbox")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "timeout"),
        ("while True: print('x' * 65536)", "output"),
        ("import os\nif os.fork() == 0:\n    while True: pass\nprint('left')", "exit"),
    ],
)
def test_time_and_output_are_bounded_and_nothing_runs_on(folder: Path, code: str, reason: str) -> None:
    async def run(client: ModuleClient) -> Any:
        return await client.call("run_python", code=code, timeout=1)

    result, _, _ = act(server_of(folder, unsafe_allow_unsandboxed=True), run)
    assert result["reason"] == reason


@pytest.mark.usefixtures("no_sandbox")
def test_a_manager_that_was_told_by_the_policy_alone_executes_nothing() -> None:
    sandboxes = SandboxManager(config=SandboxConfig(min_tier=IsolationTier.NONE))
    assert not sandboxes.is_sufficient
    sandboxes.close()


@pytest.mark.parametrize("user", [os.getuid()] if os.getuid() == 0 else [])
@pytest.mark.usefixtures("no_sandbox")
def test_root_without_accounts_executes_nothing_even_then(user: int) -> None:
    config = SandboxConfig(min_tier=IsolationTier.NONE, allows_unsandboxed=True)
    sandboxes = SandboxManager(config=config)
    assert sandboxes.tier is IsolationTier.NONE
    assert "reserves no accounts" in sandboxes.findings[0]
    assert sandboxes._examiner is not None
    assert sandboxes._examiner.execution is None
    sandboxes.close()
