"""A whole server for one test: every tier real, no socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcp_server.core.lifecycle import Lifecycle
from mcp_server.core.mcp_server import MCPServer
from tests.conformance.fake_clock import FakeClock
from tests.conformance.showcase import Showcase
from tests.conformance.wire import Wire
from tests.support.spec_validator import MODERN

ALLOW = ("FILE_READ *.txt", "DIRECTORY_LIST **", "CUSTOM_BELL **")
ASK = ("FILE_READ *.ask", "CUSTOM_GONG **")

LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
"""The methods that list, and the member of the result that holds the entries."""


class Desk:
    """The server under test with its policy file, its state directory, its audit log and its clients.

    Args:
        directory: An empty directory.
        revision: What `connect` speaks unless told otherwise.
    """

    def __init__(self, directory: Path, revision: str) -> None:
        self.revision = revision
        self.folder = directory / "folder"
        self.clock = FakeClock()
        self.show = Showcase()
        self.wires: list[Wire] = []
        self.records: list[Mapping[str, Any]] = []
        self._policy_path = directory / "desk.toml"
        self._state = directory / "state"
        self._serial = 0
        self.lifecycle: Lifecycle

    @property
    def problems(self) -> list[str]:
        """What was wrong with messages of the server."""
        return [problem for wire in self.wires for problem in wire.problems]

    @property
    def is_modern(self) -> bool:
        return self.revision == MODERN

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        for name in ("note.txt", "key.pem", "maybe.ask"):
            (self.folder / name).write_text(f"text of {name}")
        self.write_policy()
        server = MCPServer(
            "desk",
            version="1.2",
            title="The desk",
            instructions="Ask politely.",
            policy=self._policy_path,
            state=self._state,
        )
        server.register_module(self.show.module)
        self.lifecycle = server.lifecycle()
        await self.lifecycle.open()
        security = self.lifecycle.security
        security.audit.subscribe(self.records.append)
        # Deadlines and heartbeats come when a test sweeps, not when time passes.
        security.watch._clock = security.chain._clock = security.clients._clock = self.clock
        security.watch._schedule = lambda seconds, function: None
        self.lifecycle.protocol.handler._sealer._clock = self.clock
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        for wire in self.wires:
            if not wire.connection.is_closed:
                await self.lifecycle.protocol.handler.close(wire.connection, 0.0)
        await self.lifecycle.close("test ended")

    async def connect(
        self,
        *,
        revision: str | None = None,
        capabilities: Mapping[str, Any] | None = None,
        profile: str = "local",
        shake_hands: bool = True,
        initialized: bool = True,
    ) -> Wire:
        """Return a client that is ready to ask, after the handshake where its revision has one."""
        wire = Wire(
            handler=self.lifecycle.protocol.handler,
            profile=profile,
            revision=revision or self.revision,
            capabilities=capabilities,
        )
        self.wires.append(wire)
        if shake_hands and not wire.is_modern:
            await wire.shake_hands(initialized=initialized)
        return wire

    def write_policy(
        self,
        *,
        clients: tuple[str, ...] = ("local", "other"),
        allow: tuple[str, ...] = ALLOW,
        ask: tuple[str, ...] = ASK,
        deny: tuple[str, ...] = (),
        extra: str = "",
    ) -> None:
        """Write the policy file; it holds from the next `reload` on."""
        self._serial += 1
        lines = [f"# version {self._serial}", "version = 1"]
        for client in clients:
            lines.append(f"[client.{client}]")
            lines.append(f'folders = ["{self.folder}"]')
            for name, rules in (("allow", allow), ("ask", ask), ("deny", deny)):
                lines.append(f"{name} = [{', '.join(repr(rule) for rule in rules)}]")
            lines.append(extra)
        self._policy_path.write_text("\n".join(lines) + "\n")

    def reload(self, **policy: Any) -> None:
        """Put another policy in force."""
        self.write_policy(**policy)
        assert self.lifecycle.reload_policy()

    def set_page_size(self, size: int) -> None:
        """Let a page hold so few entries that the lists need not be long."""
        routes = self.lifecycle.protocol.handler._router._routes
        for method in LISTS:
            route = routes[method]
            pages = (route.answer or route.plan).__self__._pages  # type: ignore[union-attr] # bound methods
            pages._page_size = size
            pages._kept.clear()

    def limit(self, **bounds: int) -> None:
        """Set bounds of the protocol, such as `max_in_flight`."""
        handler = self.lifecycle.protocol.handler
        handler._config = replace(handler._config, **bounds)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the server look at its watch."""
        self.clock.advance(seconds)
        self.lifecycle.security.watch.sweep()

    def break_audit(self) -> None:
        """Let the disk refuse the audit log from now on."""
        writer = self.lifecycle.security.audit._writer
        assert writer is not None
        writer.fail("the disk is broken")
