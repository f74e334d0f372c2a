"""The clients that have called, their folders and their limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.permission_manager import PermissionManager

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.security.authentication.principal import Principal
    from mcp_server.security.permissions.client_profile import ClientProfile


class ClientManager:
    """Keep one `ClientRecord` a client, and count its calls against its limits.

    Folders are opened at a client's first call and again when a reloaded policy changed its profile.

    Args:
        permissions: The policy in force.
        open_files: Opens the folders of a profile, None for a profile without.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        permissions: PermissionManager,
        open_files: Callable[[ClientProfile], ClientFiles | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._permissions = permissions
        self._open_files = open_files
        self._clock = clock
        self._records: dict[str, ClientRecord] = {}

    def record(self, principal: Principal) -> ClientRecord:
        """Return the record of `principal`, made at its first call.

        Raises:
            AuthenticationError: The policy names it no more.
            ConfigurationError: One of its folders cannot be opened.
        """
        profile = self._permissions.profile(principal.client)
        if profile is None:
            self._forget(principal.client)
            raise AuthenticationError(f"the policy names no client {principal.client!r}")
        record = self._records.get(principal.client)
        if record is None:
            record = ClientRecord(profile=profile, files=self._open_files(profile), now=self._clock())
            self._records[principal.client] = record
        elif record.profile is not profile:
            self._renew(record, profile)
        return record

    def enter(self, record: ClientRecord) -> None:
        """Count a call that begins.

        Raises:
            LimitExceededError: The client has too many calls running, or called too often in the last minute.
        """
        limits = record.profile.limits
        if record.running >= limits.concurrent_calls:
            raise LimitExceededError(
                "concurrent_calls", f"{limits.concurrent_calls} calls are running already; wait for one to end"
            )
        now = self._clock()
        per_minute = limits.calls_per_minute
        # A token bucket of one minute's calls, refilled continuously.
        budget = record.budget + (now - record.budget_time) * per_minute / 60.0
        if budget > per_minute:
            budget = float(per_minute)
        record.budget_time = now
        if budget < 1.0:
            record.budget = budget
            wait = (1.0 - budget) * 60.0 / per_minute
            raise LimitExceededError(
                "calls_per_minute",
                f"more than {per_minute} calls a minute; wait {wait:.0f} s before the next call",
                retry_after_seconds=wait,
            )
        record.budget = budget - 1.0
        record.running += 1

    def leave(self, record: ClientRecord) -> None:
        """Count a call that has ended."""
        record.running -= 1

    def close(self) -> None:
        """Close every client's folders."""
        for record in self._records.values():
            if record.files is not None:
                record.files.close()
        self._records.clear()

    def _forget(self, client: str) -> None:
        """Close what is kept of a client that a reload has removed: its files may be held by another process."""
        record = self._records.pop(client, None)
        if record is not None and record.files is not None:
            record.files.close()

    def _renew(self, record: ClientRecord, profile: ClientProfile) -> None:
        old = record.profile
        if _kept(old) != _kept(profile):
            files = self._open_files(profile)
            if record.files is not None:
                record.files.close()
            record.files = files
        record.profile = profile


def _kept(profile: ClientProfile) -> tuple[object, ...]:
    """Return what of a profile decides how its files are kept: another value means to open them anew."""
    return profile.folders, profile.global_folders, profile.limits, profile.separate_process
