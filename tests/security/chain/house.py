"""A whole server in memory, and clients that see its bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcp_server.client.memory_channel import MemoryChannel
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.tools.module import Module
from tests.security.chain.fake_clock import FakeClock

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"


class House:
    """An open server with a policy file, its audit records, and everything that it ever sent.

    Args:
        directory: An empty directory; `folder` in it belongs to the clients.
        module: What it serves.
        policy: The policy's text without its first line.
    """

    def __init__(self, directory: Path, module: Module, policy: str) -> None:
        self.directory = directory
        self.folder = directory / "folder"
        self.folder.mkdir()
        self.policy_path = directory / "house.toml"
        self._serial = count(1)
        self.write_policy(policy)
        server = MCPServer("house", policy=self.policy_path, state=directory / "state")
        server.register_module(module)
        self.lifecycle = server.lifecycle()
        self.clock = FakeClock()
        self.records: list[Mapping[str, Any]] = []
        self.sent: list[bytes] = []
        self.wires: list[Wire] = []

    def write_policy(self, policy: str) -> None:
        self.policy_path.write_text(f"# {next(self._serial)}\nversion = 1\n{policy}")
        self.policy_path.chmod(0o600)

    def connect(self, profile: str = "local", **capabilities: Any) -> Wire:
        wire = Wire(self, profile, capabilities)
        self.wires.append(wire)
        return wire

    def audit_bytes(self) -> bytes:
        """Return the whole audit log as it is on disk."""
        log = self.directory / "state" / "audit" / "local"
        return b"".join(path.read_bytes() for path in sorted(log.glob("*.jsonl")))

    async def __aenter__(self) -> Self:
        await self.lifecycle.open()
        security = self.lifecycle.security
        security.audit.subscribe(self.records.append)
        # Deadlines come when a test sweeps, not when time passes.
        security.watch._clock = security.chain._clock = security.clients._clock = self.clock
        security.watch._schedule = lambda seconds, function: None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self.wires:
            await self.lifecycle.protocol.handler.close(wire.connection, 0.0)
        await self.lifecycle.close("test ended")


class Wire:
    """One client's connection, message by message; it speaks 2026-07-28 unless it has shaken hands."""

    def __init__(self, house: House, profile: str, capabilities: Mapping[str, Any]) -> None:
        self._house = house
        self._handler = house.lifecycle.protocol.handler
        self._capabilities = dict(capabilities)
        self._waiting: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self._ids = count(1)
        self.is_legacy = False
        self.name = "wire"
        self.raw: list[bytes] = []
        self.asked: list[dict[str, Any]] = []
        self.credentials = Credentials(transport="memory", profile=profile, connection=f"m-{profile}")
        self.connection = self._handler.open(MemoryChannel(self.credentials, self._deliver))

    async def shake_hands(self, revision: str = "2025-11-25", **client_info: Any) -> dict[str, Any]:
        self.is_legacy = True
        info = {"name": self.name, "version": "1", **client_info}
        answer = await self.ask(
            "initialize", protocolVersion=revision, capabilities=self._capabilities, clientInfo=info
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def send(self, message: Mapping[str, Any]) -> None:
        self._handler.receive(self.connection, json.dumps(message).encode())

    def begin(self, method: str, params: Mapping[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Send a request and return where its whole answer will be."""
        number = next(self._ids)
        if not self.is_legacy:
            meta = {
                f"{META}protocolVersion": MODERN,
                f"{META}clientCapabilities": self._capabilities,
                f"{META}clientInfo": {"name": self.name, "version": "1"},
            }
            params = {**params, "_meta": meta}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)})
        return future

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return await self.begin(method, params)

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        return await self.ask("tools/call", name=tool, arguments=arguments)

    async def text(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must succeed, and return its text."""
        answer = await self.call(tool, **arguments)
        assert "error" not in answer, answer
        assert not answer["result"].get("isError"), answer
        return str(answer["result"]["content"][0]["text"])

    async def refusal(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must be refused with a result, and return the details beside its text."""
        answer = await self.call(tool, **arguments)
        assert answer["result"]["isError"], answer
        return {**answer["result"]["_meta"]["dev.mcpserver/error"], "text": answer["result"]["content"][0]["text"]}

    def _deliver(self, data: bytes) -> None:
        self.raw.append(data)
        self._house.sent.append(data)
        message = json.loads(data)
        if "method" in message:
            self.asked.append(message)
            return
        future = self._waiting.pop(message["id"], None)
        if future is not None:
            future.set_result(message)
