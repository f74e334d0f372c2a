"""The front door of the resource tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mcp_server.resources.blocking_pool import BlockingPool
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.sandbox_manager import SandboxManager

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.resources.filesystem.root_config import RootConfig
    from mcp_server.resources.network.address_judge import AddressJudge
    from mcp_server.resources.network.egress_proxy import EgressProxy
    from mcp_server.resources.network.http_client import HttpClient
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

    def open_http(self, owner: str) -> HttpClient:
        """Return a client over HTTP for one call; what it waits for in threads counts against `owner`.

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
            limits=self._config.http_limits,
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
        self.pool.close()
