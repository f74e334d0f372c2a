"""Starting and ending, in the right order."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_server.core.config_loader import ConfigLoader
from mcp_server.core.constants import MAX_AUDIT_STREAMS, POLICY_POLL_SECONDS
from mcp_server.core.lifecycle_state import LifecycleState
from mcp_server.core.server_config import ServerConfig
from mcp_server.errors.already_locked_error import AlreadyLockedError
from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.protocol.protocol_config import ProtocolConfig
from mcp_server.protocol.protocol_tier import ProtocolTier
from mcp_server.resources.process_tree import ProcessTree
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.security.security_config import SecurityConfig
from mcp_server.security.security_tier import SecurityTier
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.tool import Tool
from mcp_server.transport.transport_tier import TransportTier

if TYPE_CHECKING:
    from mcp_server.security.permissions.policy_source import PolicySource

logger = logging.getLogger(__name__)


class Lifecycle:
    """Build the four tiers, open them bottom up, close them top down.

    The audit log opens first and closes last: nothing happens without it. It is one stream a process; a second server
    of the same client takes the next free one.

    Args:
        config: All settings.
        catalog: What the modules offer.
    """

    def __init__(self, *, config: ServerConfig, catalog: Catalog) -> None:
        self._config = config
        self._catalog = catalog
        self._state = LifecycleState.NEW
        self._poll: asyncio.TimerHandle | None = None
        self._key_poll: asyncio.TimerHandle | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._policy_source: PolicySource | None = None
        # The epoch of the policy of which the clients were told; the first one need not be told.
        self._told_epoch = 1

    @property
    def state(self) -> LifecycleState:
        """Where in its life the server is."""
        return self._state

    async def open(self) -> None:
        """Make the server ready to serve.

        Raises:
            ConfigurationError: Something of the configuration cannot be used; nothing is left open.
        """
        config = self._config
        if self._state is not LifecycleState.NEW:
            raise ConfigurationError("a server is opened once")
        if config.client not in config.policy.clients:
            raise ConfigurationError(
                f"the policy names no client {config.client!r}; "
                f"it names {', '.join(sorted(config.policy.clients)) or 'none'}"
            )
        self._refuse_overlap(config)
        self._make_state_directory(config.state_directory)
        self.resources = ResourceTier(
            config=ResourceConfig(
                state_directory=config.state_directory,
                file_limits=config.file_limits,
                sandbox=config.policy.sandbox,
            )
        )
        try:
            self.security = self._open_security()
        except BaseException:
            self.resources.close()
            raise
        self._state = LifecycleState.OPEN
        try:
            await self._open_upper_tiers()
        except BaseException:
            await self.close("start failed")
            raise

    async def close(self, reason: str, *, kills_children: bool = False) -> None:
        """End everything: modules, children, folders, audit; harmless when closed already.

        Args:
            reason: Why, for the audit.
            kills_children: Whether the process is the server's own, so that whatever it started ends with it. A program
                that embeds the server, or a test, has children of its own.
        """
        if self._state is not LifecycleState.OPEN:
            return
        self._state = LifecycleState.CLOSED
        if self._poll is not None:
            self._poll.cancel()
        if self._key_poll is not None:
            self._key_poll.cancel()
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._catalog.stop()
        await self.resources.sandboxes.rest()
        if kills_children:
            ProcessTree().kill_descendants(os.getpid())
        self.resources.close()
        try:
            self.security.audit.append("server.stop", {"reason": reason})
        except AuditUnavailableError:
            logger.exception("the end of the server could not be recorded")
        self.security.close()

    def reload_policy(self) -> bool:
        """Read the policy file again; return whether its policy is in force. A bad file keeps the old one."""
        if self._policy_source is None:
            return False
        is_good = self._policy_source.reload()
        self._announce()
        return is_good

    def _open_security(self) -> SecurityTier:
        """Open the first free audit stream of this client."""
        config = self._config
        for number in range(MAX_AUDIT_STREAMS):
            stream = config.client if number == 0 else f"{config.client}.{number + 1}"
            security = SecurityTier(
                config=SecurityConfig(
                    policy=config.policy,
                    audit_directory=config.state_directory / "audit" / stream,
                    durability=config.durability,
                    state_directory=config.state_directory,
                    uses_directory=config.state_directory / "uses",
                ),
                resources=self.resources,
            )
            try:
                security.audit.open()
            except AlreadyLockedError:
                continue
            return security
        raise ConfigurationError(f"{MAX_AUDIT_STREAMS} servers of client {config.client!r} are running already")

    def _lock_definitions(self) -> None:
        """See to it that the tools are what was locked, now and when one changes later.

        Raises:
            ConfigurationError: They are not, and the policy says that this is enough not to start.
        """
        rules = self._config.policy.definitions
        if rules is None:
            return
        lock = ConfigLoader().read_lock(rules.lock)
        self._catalog.bind()
        drift = lock.drift(self._catalog.tools())
        if drift:
            self._tell_drift(drift.summary)
            if rules.drift == "refuse":
                raise ConfigurationError(
                    f"the tools are not what was locked: {drift.summary}; look at them with `mcp-server tools`, and if "
                    "that is what you want, run `mcp-server lock`",
                    source=rules.lock,
                )

        def admits(tool: Tool) -> bool:
            if lock.holds(tool):
                return True
            self._tell_drift(f"offered while it runs: {tool.name!r}")
            return rules.drift == "warn"

        self._catalog.lock(admits)

    def _tell_drift(self, what: str) -> None:
        logger.warning("definitions of tools are not what was locked: %s", what)
        self.security.audit.append("tool.drift", {"reason": what})

    async def _open_upper_tiers(self) -> None:
        config = self._config
        info = {"name": config.name, "version": config.version}
        if config.title is not None:
            info["title"] = config.title
        self.security.audit.append(
            "server.start", {"name": config.name, "policy": config.policy.digest, "version": config.version}
        )
        self.security.authentication.prepare()
        self._lock_definitions()
        await self._catalog.start()
        self.protocol = ProtocolTier(
            config=ProtocolConfig(server_info=info, instructions=config.instructions),
            catalog=self._catalog,
            chain=self.security.chain,
        )
        self.transport = TransportTier(config=config.transport, handler=self.protocol.handler)
        if config.policy.issuers or config.policy_path is not None:
            # A policy that comes later may have issuers too.
            self._watch_keys(asyncio.get_running_loop().call_later)
        if config.policy_path is not None:
            from mcp_server.security.permissions.policy_loader import PolicyLoader
            from mcp_server.security.permissions.policy_source import PolicySource

            self._policy_source = PolicySource(
                config.policy_path, PolicyLoader(), self.security.permissions, self._report
            )
            call_later = asyncio.get_running_loop().call_later
            self._poll = call_later(POLICY_POLL_SECONDS, self._watch_policy, call_later)

    def _watch_policy(self, call_later: Callable[..., asyncio.TimerHandle]) -> None:
        if self._state is LifecycleState.OPEN and self._policy_source is not None:
            self._policy_source.reload_if_changed()
            # A grant may have begun or expired as well.
            self._announce()
            self._poll = call_later(POLICY_POLL_SECONDS, self._watch_policy, call_later)

    def _watch_keys(self, call_later: Callable[..., asyncio.TimerHandle]) -> None:
        """Fetch keys that are due, one fetch at a time, beside everything else."""
        if self._state is not LifecycleState.OPEN:
            return
        if self._fetching is None and self.security.authentication.due_sources():
            self._fetching = asyncio.create_task(self.security.refresh_keys())
            self._fetching.add_done_callback(self._keys_fetched)
        self._key_poll = call_later(POLICY_POLL_SECONDS, self._watch_keys, call_later)

    def _keys_fetched(self, fetching: asyncio.Task[None]) -> None:
        self._fetching = None
        if not fetching.cancelled() and fetching.exception() is not None:
            logger.error("keys could not be fetched", exc_info=fetching.exception())

    def _report(self, kind: str, fields: Mapping[str, Any]) -> None:
        self.security.audit.append(kind, fields)

    def _announce(self) -> None:
        """Tell connected clients when what they may see has changed."""
        epoch, self._told_epoch = self._told_epoch, self.security.permissions.epoch
        if self._told_epoch != epoch:
            for kind in ("tools", "prompts", "resources"):
                self.protocol.hub.changed(kind)

    @staticmethod
    def _refuse_overlap(config: ServerConfig) -> None:
        """Refuse a state directory that a client could read or write; told at the start, not at the first call."""
        state = os.path.realpath(config.state_directory)
        for profile in config.policy.clients.values():
            for folder in (*profile.folders, *profile.global_folders):
                if os.path.commonpath((folder, state)) in (folder, state):
                    raise ConfigurationError(
                        f"the folder {folder} of client {profile.name!r} and the server's state in {state} overlap, so "
                        "the client could touch the audit log and the keys; choose another folder, or another place "
                        "for the state with --state"
                    )

    @staticmethod
    def _make_state_directory(directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the state directory cannot be made ({error.strerror}); choose another with --state",
                source=str(directory),
            ) from error
