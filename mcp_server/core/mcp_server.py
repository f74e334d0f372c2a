"""The server as its users see it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from mcp_server.core.config_loader import ConfigLoader
from mcp_server.core.constants import DEFAULT_NAME
from mcp_server.core.lifecycle import Lifecycle
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.module import Module
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason

if TYPE_CHECKING:
    from mcp_server.core.server_config import ServerConfig
    from mcp_server.security.permissions.policy import Policy
    from mcp_server.transport.base_transport import BaseTransport


class MCPServer:
    """A server for AI clients in which every call is authenticated, permitted, sandboxed, executed and audited.

    It holds a module of its own, so that a small server needs no other: `@server.tool`, `@server.prompt`,
    `@server.resource`.

    Args:
        name: What it calls itself.
        version: Its version, as clients see it.
        title: Its name for humans.
        instructions: How to use it, for the model.
        policy: A policy file, or a `Policy`; without one, `folders` make it.
        folders: Without a policy: what the one client may read, list and write, and nothing else.
        client: The client at the other end of stdio, as the policy names it; `local` unless said here or by
            `MCP_SERVER_CLIENT`.
        state: Where audit logs live; by default the user's state directory.
        durability: `process` (an audit record survives the death of the server) or `disk` (of the machine).
        isolation: Where handlers of its own module run; see `Module`.
        unsafe_allow_unsandboxed: Execute code that nothing contains, where the policy says `min_tier = "none"` and
            there is no sandbox.

    Raises:
        ConfigurationError: The policy cannot be used.

    >>> server = MCPServer("hello", state="/tmp/hello-state")
    >>> @server.tool
    ... async def add(a: int, b: int) -> int:
    ...     "Add two numbers."
    ...     return a + b
    >>> server.name
    'hello'
    """

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        *,
        version: str = "0",
        title: str | None = None,
        instructions: str | None = None,
        policy: str | os.PathLike[str] | Policy | None = None,
        folders: Sequence[str | os.PathLike[str]] = (),
        client: str | None = None,
        state: str | os.PathLike[str] | None = None,
        durability: str = "process",
        isolation: Literal["inline", "process"] | None = None,
        unsafe_allow_unsandboxed: bool = False,
    ) -> None:
        self.config: ServerConfig = ConfigLoader().build(
            name=name,
            version=version,
            title=title,
            instructions=instructions,
            policy=policy,
            folders=folders,
            client=client,
            state=state,
            durability=durability,
            unsafe_allow_unsandboxed=unsafe_allow_unsandboxed,
        )
        self.catalog = Catalog()
        self._own = Module(name, isolation=isolation)
        self._has_own = False

    @property
    def name(self) -> str:
        """What the server calls itself."""
        return self.config.name

    @property
    def own_module(self) -> Module:
        """The module of what is registered with the server itself."""
        return self._own

    def register_module(self, module: Module | ModuleType | str) -> None:
        """Offer what a module has.

        Args:
            module: A `Module`, a Python module that holds one, or the dotted name of such a Python module, which is
                imported when a client first asks what there is.

        Raises:
            ConfigurationError: A name is taken, a handler is missing, or a declaration is wrong.
        """
        self.catalog.register(module)

    def tool(self, *args: Any, **kwargs: Any) -> Any:
        """Register a function as a tool of the server's own module; see `Module.tool`."""
        return self._own_module().tool(*args, **kwargs)

    def prompt(self, *args: Any, **kwargs: Any) -> Any:
        """Register a function as a prompt of the server's own module; see `Module.prompt`."""
        return self._own_module().prompt(*args, **kwargs)

    def resource(self, *args: Any, **kwargs: Any) -> Any:
        """Register a function as a resource of the server's own module; see `Module.resource`."""
        return self._own_module().resource(*args, **kwargs)

    def lifecycle(self) -> Lifecycle:
        """Return the server's tiers, not yet open: for programs that embed it, and for tests."""
        if self._has_own:
            self.catalog.register(self._own)
            self._has_own = False
        return Lifecycle(config=self.config, catalog=self.catalog)

    def run(self) -> StopReason:
        """Serve the client at the other end of stdin and stdout until it leaves.

        Descriptor 0 is empty and descriptor 1 is stderr from here on: whatever prints cannot disturb the protocol.

        Raises:
            ConfigurationError: Standard input is a terminal, or the configuration cannot be used.
        """
        if self.config.is_apart:
            raise ConfigurationError(
                "this program was imported for one of its handlers, which runs in a process of its own; write "
                "`if __name__ == '__main__':` above the line that runs the server"
            )
        if sys.stdin is not None and stat.S_ISCHR(os.fstat(0).st_mode) and os.isatty(0):
            raise ConfigurationError(
                "standard input is a terminal; an AI client starts this program and talks to it through a pipe. "
                "To try it by hand use: mcp-server call TOOL key=value"
            )
        return self.run_stdio(StdioStreams.take_over())

    def run_stdio(self, streams: StdioStreams) -> StopReason:
        """Serve over pipe ends that were taken over before; for programs that import modules after it.

        Args:
            streams: The private pipe ends; closed at the end.
        """
        from mcp_server.resources.daemon_executor import DaemonExecutor

        loop = asyncio.new_event_loop()
        loop.set_default_executor(DaemonExecutor())
        try:
            return loop.run_until_complete(
                self._serve(lambda lifecycle: lifecycle.transport.stdio(streams=streams, client=self.config.client))
            )
        finally:
            # What is left has had its grace and its cancellation; `asyncio.run` would wait for it for ever.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=0.1))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            streams.close()

    async def _serve(self, make_transport: Callable[[Lifecycle], BaseTransport]) -> StopReason:
        lifecycle = self.lifecycle()
        await lifecycle.open()
        # What is there now stays; the collector need not look at it again and again.
        gc.freeze()
        gc.enable()
        reason = StopReason.REQUESTED
        try:
            transport = make_transport(lifecycle)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, transport.stop, StopReason.SIGNAL)
            loop.add_signal_handler(signal.SIGHUP, lifecycle.reload_policy)
            reason = await transport.serve()
        finally:
            await lifecycle.close(reason.value, kills_children=True)
        return reason

    def _own_module(self) -> Module:
        self._has_own = True
        return self._own
