"""The front door of the resource tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp_server.resources.blocking_pool import BlockingPool
from mcp_server.resources.resource_config import ResourceConfig

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.root_config import RootConfig
    from mcp_server.resources.filesystem_manager import FileSystemManager


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
        self.pool = BlockingPool(max_threads=config.max_threads, max_calls_per_owner=config.max_calls_per_client)

    def open_files(self, roots: Sequence[RootConfig]) -> FileSystemManager | None:
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

    def close(self) -> None:
        """Let the threads end."""
        self.pool.close()
