"""One server with two clients in memory, whose policy a test replaces while it runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.lifecycle import Lifecycle
from mcp_server.core.mcp_server import MCPServer
from mcp_server.resources.isolation.process_sessions import ProcessSessions
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.testing import AuditView, ModuleClient
from mcp_server.tools.module import Module
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.support.sandboxes import sandbox_table


class TwoClients:
    """Two clients, `ada` and `bob`, with a folder each.

    Args:
        lifecycle: The server.
        audit: Its records, so far.
        directory: What holds the folders.
        tables: The policy's tables beside those of the clients.
    """

    def __init__(self, lifecycle: Lifecycle, audit: list[AuditView], directory: Path, tables: str) -> None:
        self.lifecycle = lifecycle
        self.audit = audit
        self.directory = directory
        self._tables = tables
        handler = lifecycle.protocol.handler
        self._clients = [MemoryClient(handler=handler, profile=name) for name in ("ada", "bob")]
        self.ada, self.bob = (ModuleClient(client=each, audit=audit) for each in self._clients)

    @property
    def sessions(self) -> ProcessSessions:
        return self.lifecycle.resources.sandboxes.processes

    def reload(self, ada: Sequence[str], bob: Sequence[str] = ()) -> None:
        """Put another policy in force."""
        self.lifecycle.security.permissions.replace(policy_of(self.directory, self._tables, ada, bob))

    async def close(self) -> None:
        for each in self._clients:
            await each.close()
        await self.lifecycle.close("test ended")


@asynccontextmanager
async def two_clients(
    directory: Path,
    *,
    ada: Sequence[str],
    bob: Sequence[str] = (),
    programs: Mapping[str, Mapping[str, Any]],
    modules: Sequence[Module] = (),
    **sandbox: Any,
) -> AsyncIterator[TwoClients]:
    """Serve the execution module to two clients.

    Args:
        directory: An empty directory that everybody may walk to.
        ada: The rules of one client.
        bob: The rules of the other.
        programs: The operator's programs, by name.
        modules: Further modules.
        **sandbox: Members of the policy's `[sandbox]`.
    """
    for name in ("ada", "bob"):
        (directory / name).mkdir()
    tables = ""
    for name, members in {
        "sandbox": sandbox_table(directory, **sandbox),
        **{f"program.{name}": program for name, program in programs.items()},
    }.items():
        tables += "".join([f"[{name}]\n", *(f"{key} = {written(value)}\n" for key, value in members.items())])
    server = MCPServer("test", policy=policy_of(directory, tables, ada, bob), client="ada", state=directory / "state")
    for module in (ExecutionModule(), *modules):
        server.register_module(module)
    lifecycle = server.lifecycle()
    await lifecycle.open()
    records: list[AuditView] = []
    lifecycle.security.audit.subscribe(lambda record: records.append(AuditView(record)))
    clients = TwoClients(lifecycle, records, directory, tables)
    try:
        yield clients
    finally:
        await clients.close()


def policy_of(directory: Path, tables: str, ada: Sequence[str], bob: Sequence[str]) -> Policy:
    """Return a policy for both, read from text as a file's is."""
    text = "version = 1\n" + tables
    for name, rules in (("ada", ada), ("bob", bob)):
        text += f"[client.{name}]\nfolders = [{json.dumps(str(directory / name))}]\nallow = {json.dumps(list(rules))}\n"
    return PolicyLoader().parse(text, source="two_clients")


def written(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {written(member)}" for name, member in value.items()) + " }"
    return json.dumps(value)
