"""The front door of the security tier."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.call_watch import CallWatch
from mcp_server.security.client_manager import ClientManager
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.use_ledger import UseLedger
from mcp_server.security.security_chain import SecurityChain
from mcp_server.security.security_config import SecurityConfig

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.resources.isolation.process_state import ProcessState
    from mcp_server.security.authentication.peer_identity import PeerIdentity

logger = logging.getLogger(__name__)

SWEEP_AFTER_SECONDS: Final = 2.0
"""Enough for a client to shake hands, list what there is and call its first tool."""

KEY_FETCHER: Final = "(keys)"
"""On whose account the fetching of keys waits in threads; no client can have this name."""


class SecurityTier:
    """Builds the chain and its managers from the configuration and the resource tier.

    Args:
        config: Settings.
        resources: The tier below.
        clock: Monotonic seconds.
        sweep_after_seconds: How long after their opening a client's folders are cleared of what a crash left in them.
    """

    def __init__(
        self,
        *,
        config: SecurityConfig,
        resources: ResourceTier,
        clock: Callable[[], float] = time.monotonic,
        sweep_after_seconds: float = SWEEP_AFTER_SECONDS,
    ) -> None:
        self._resources = resources
        self._sweep_after_seconds = sweep_after_seconds
        self._sweeps: dict[str, asyncio.TimerHandle] = {}
        self.audit = AuditLogger(
            directory=config.audit_directory, durability=config.durability, stream=config.audit_directory.name
        )
        self.permissions = PermissionManager(policy=config.policy, ledger=UseLedger(directory=config.uses_directory))
        resources.sandboxes.tell_process_ends(self._record_process_end)
        self.clients = ClientManager(permissions=self.permissions, open_files=self._open_files, clock=clock)
        self.watch = CallWatch(clock=clock)
        self.authentication = AuthenticationManager(
            permissions=self.permissions,
            state_directory=config.state_directory,
            report=self.audit.append,
            monotonic=clock,
            read_parent=_parent,
        )
        self.chain = SecurityChain(
            authentication=self.authentication,
            permissions=self.permissions,
            clients=self.clients,
            consent=ConsentManager(report=self.audit.append),
            audit=self.audit,
            watch=self.watch,
            pool=resources.pool,
            sandboxes=resources.sandboxes,
            new_id=self._ids(),
            clock=clock,
            open_http=resources.open_http,
        )

    async def refresh_keys(self) -> None:
        """Fetch the keys of issuers that are due; returns at once when none are."""
        due = self.authentication.due_sources()
        if due:
            from mcp_server.security.authentication.key_sets.key_set_fetcher import KeySetFetcher

            await KeySetFetcher(open_http=lambda limits: self._resources.open_http(KEY_FETCHER, limits)).refresh(due)

    def close(self) -> None:
        """Close the clients' folders and the audit log."""
        for timer in self._sweeps.values():
            timer.cancel()
        self.clients.close()
        self.audit.close()

    def _record_process_end(self, state: ProcessState) -> None:
        """Put the end of a process on record that outlived its call: no call that is going on tells of it."""
        fields = {"client": state.client, "process": state.id, "program": state.program, "tier": state.tier.label}
        try:
            self.audit.append("process.end", {**fields, "reason": str(state.reason or "failed")})
        except AuditUnavailableError:
            logger.exception("the end of process %s of client %s could not be recorded", state.id, state.client)

    def _record_broker_end(self, client: str, reason: str) -> None:
        """Put on record that the process that kept a client's files has ended, which it never does by itself."""
        try:
            self.audit.append("broker.end", {"client": client, "reason": reason})
        except AuditUnavailableError:
            logger.exception("the end of a broker of client %s could not be recorded: %s", client, reason)

    def _open_files(self, profile: ClientProfile) -> ClientFiles | None:
        from mcp_server.resources.filesystem.root_config import RootConfig

        limits = profile.limits
        roots = [
            RootConfig(folder, is_global=is_global, max_bytes=limits.workspace_bytes, max_files=limits.workspace_files)
            for folders, is_global in ((profile.folders, False), (profile.global_folders, True))
            for folder in folders
        ]
        if profile.separate_process:
            files = self._resources.open_brokered_files(roots, on_end=partial(self._record_broker_end, profile.name))
        else:
            files = self._resources.open_files(roots)
        if files is not None:
            self._sweep_later(profile.name, files)
        return files

    def _sweep_later(self, client: str, files: ClientFiles) -> None:
        """Clear the folders of half-written files in a while, so that the client's first calls are not held up."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Somebody looks at one thing and is gone; a server that stays will do it.
            return
        earlier = self._sweeps.pop(client, None)
        if earlier is not None:
            earlier.cancel()
        self._sweeps[client] = loop.call_later(self._sweep_after_seconds, self._sweep, client, files)

    def _sweep(self, client: str, files: ClientFiles) -> None:
        del self._sweeps[client]

        def work() -> None:
            try:
                count = files.sweep()
            except Exception:
                logger.exception("the folders of client %s could not be cleared of half-written files", client)
            else:
                logger.debug("%d half-written files of client %s were removed", count, client)

        # The first step of the call hands the work to a thread, and nobody waits for more: a task for it would only
        # have to be ended.
        call = self._resources.pool.run(client, work)
        try:
            call.send(None)
        except LimitExceededError:
            logger.warning("the folders of client %s were not cleared of half-written files", client)
        finally:
            call.close()

    @staticmethod
    def _ids() -> Callable[[], str]:
        """Return a maker of call ids: random for each run of the server, then counted, so that they sort."""
        prefix = os.urandom(4).hex()
        numbers = count(1)
        return lambda: f"{prefix}-{next(numbers)}"


def _parent() -> PeerIdentity:
    """Return what the kernel says of the process that started this one."""
    from mcp_server.security.authentication.local_peers.peer_reader import PeerReader

    peer = PeerReader().of_parent()
    peer.close()
    return peer.identity
