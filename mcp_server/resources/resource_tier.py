"""The front door of the resource tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mcp_server.resources.blocking_pool import BlockingPool
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.sandbox_manager import SandboxManager

if TYPE_CHECKING:
    from mcp_server.resources.broker.broker_factory import BrokerFactory
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.resources.filesystem.root_config import RootConfig
    from mcp_server.resources.network.address_judge import AddressJudge
    from mcp_server.resources.network.egress_proxy import EgressProxy
    from mcp_server.resources.network.http_client import HttpClient
    from mcp_server.resources.network.http_limits import HttpLimits
    from mcp_server.resources.network.tls_trust import TLSTrust


class ResourceTier:
    """Builds what the tiers above use of the machine.

    Args:
        config: Settings.

    >>> tier = ResourceTier(config=ResourceConfig())
    >>> tier.open_files([]) is None
    True
    >>> tier.close()
    """

    def __init__(self, *, config: ResourceConfig) -> None:
        self._config = config
        self._trust: TLSTrust | None = None
        self._brokers: BrokerFactory | None = None
        self.sandboxes = SandboxManager(
            config=config.sandbox, state_directory=config.state_directory, open_proxy=self.open_proxy
        )
        self.pool = BlockingPool(max_threads=config.max_threads, max_calls_per_owner=config.max_calls_per_client)

    def open_files(self, roots: Sequence[RootConfig]) -> ClientFiles | None:
        """Open a client's folders; None when it has none.

        Raises:
            ConfigurationError: A folder cannot be given to a client.
        """
        if not roots:
            return None
        # On first use: a server starts, and lists its tools, without the file system.
        from mcp_server.resources.filesystem_manager import FileSystemManager

        state = self._config.state_directory
        return FileSystemManager(
            roots=roots, limits=self._config.file_limits, forbidden=() if state is None else (state,)
        )

    def open_brokered_files(
        self, roots: Sequence[RootConfig], *, on_end: Callable[[str], None] = lambda reason: None
    ) -> ClientFiles | None:
        """Open a client's folders in a process that can open nothing else; None when it has none. Waits for nothing.

        Args:
            roots: The folders.
            on_end: Told why such a process has ended that nobody had wanted to end; from any thread.

        Raises:
            ConfigurationError: A folder cannot be given to a client, or this machine has no Landlock.
        """
        if not roots:
            return None
        # On first use: few servers have such clients.
        from mcp_server.resources.broker.broker_factory import MAX_LANES, BrokerFactory
        from mcp_server.resources.broker.brokered_files import BrokeredFiles

        if self._brokers is None:
            self._brokers = BrokerFactory(lanes=min(self._config.max_calls_per_client, MAX_LANES))
        self._brokers.check()
        state = self._config.state_directory
        return BrokeredFiles(
            roots=roots,
            start=self._brokers.start,
            limits=self._config.file_limits,
            forbidden=() if state is None else (state,),
            on_end=on_end,
        )

    def open_http(self, owner: str, limits: HttpLimits | None = None) -> HttpClient:
        """Return a client over HTTP for one call; what it waits for in threads counts against `owner`.

        Args:
            owner: For whom it is.
            limits: Bounds other than those of tools.

        Raises:
            ConfigurationError: The extra `http-client` is not installed.
        """
        # On first use, with the library behind it. What all share is whom TLS believes, and nothing else.
        from mcp_server.resources.network.http_client import HttpClient
        from mcp_server.resources.network.name_resolver import NameResolver
        from mcp_server.resources.network.pinned_connector import PinnedConnector
        from mcp_server.resources.network.tls_trust import TLSTrust

        if self._trust is None:
            self._trust = TLSTrust(authorities=self._config.authorities)
        run_blocking = partial(self.pool.run, owner)
        return HttpClient(
            connector=PinnedConnector(resolve=NameResolver(run_blocking=run_blocking).resolve),
            trust=self._trust,
            run_blocking=run_blocking,
            limits=self._config.http_limits if limits is None else limits,
        )

    def open_proxy(
        self, owner: str, allowed: tuple[str, ...], judge: AddressJudge, report: Callable[[str, int], None]
    ) -> EgressProxy:
        """Return what carries the connections of one sandboxed run.

        Args:
            owner: Against whom it counts what is waited for in threads.
            allowed: Hosts and ports, each in its canonical form.
            judge: Decides on their addresses.
            report: Told of each decision.

        Raises:
            ConfigurationError: The extra `http-client` is not installed.
        """
        from mcp_server.resources.network.egress_proxy import EgressProxy
        from mcp_server.resources.network.name_resolver import NameResolver
        from mcp_server.resources.network.pinned_connector import PinnedConnector

        resolver = NameResolver(run_blocking=partial(self.pool.run, owner))
        return EgressProxy(
            allowed=allowed,
            connector=PinnedConnector(resolve=resolver.resolve),
            rules=judge,
            limits=self._config.egress_limits,
            report=report,
        )

    def close(self) -> None:
        """End what runs in sandboxes, and let the threads end."""
        self.sandboxes.close()
        if self._brokers is not None:
            self._brokers.close()
        self.pool.close()
