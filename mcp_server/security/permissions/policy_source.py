"""The policy file behind a running server."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy_loader import PolicyLoader

if TYPE_CHECKING:
    from mcp_server.security.permission_manager import PermissionManager

logger: Final = logging.getLogger(__name__)


class PolicySource:
    """Put a changed policy file in force, whole or not at all.

    A file that cannot be loaded changes nothing: the old policy stays, and `on_event` hears of it. Write a new policy
    beside the old one and rename it: half a policy may by chance be a whole one that lacks the denials.

    Args:
        path: The policy file.
        loader: Loads it.
        manager: Holds the policy in force.
        on_event: Hears `policy.loaded` and `policy.rejected`, with their fields; the audit.
        stat_path: Examines the file.

    >>> from mcp_server.security.permission_manager import PermissionManager
    >>> from mcp_server.security.permissions.policy import Policy
    >>> source = PolicySource("/nowhere/desk.toml", PolicyLoader(), PermissionManager(policy=Policy()),
    ...                       lambda kind, fields: print(kind, fields["line"]))
    >>> source.reload()
    policy.rejected None
    False
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        loader: PolicyLoader,
        manager: PermissionManager,
        on_event: Callable[[str, Mapping[str, Any]], None],
        *,
        stat_path: Callable[[str], os.stat_result] = os.stat,
    ) -> None:
        self._path = os.fspath(path)
        self._loader = loader
        self._manager = manager
        self._on_event = on_event
        self._stat_path = stat_path
        # Nothing is known of what the policy in force was read from: the first look loads, and compares the digest.
        self._signature: tuple[int, ...] | None = None
        self._lock = Lock()

    def reload(self) -> bool:
        """Load the file now; return whether its policy is in force."""
        with self._lock:
            return self._reload(self._look(), tell_same=True)

    def reload_if_changed(self) -> bool:
        """Load the file if it is another than at the last look; return whether a new policy came in force.

        One `stat` when nothing changed. A rejected file is not reported again until it changes.
        """
        with self._lock:
            signature = self._look()
            if signature == self._signature:
                return False
            epoch = self._manager.epoch
            self._reload(signature, tell_same=False)
            return self._manager.epoch != epoch

    def _look(self) -> tuple[int, ...]:
        # Before the file is read: whatever changes while it is read is seen by the next look.
        try:
            status = self._stat_path(self._path)
        except OSError:
            return ()
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def _reload(self, signature: tuple[int, ...], *, tell_same: bool) -> bool:
        self._signature = signature
        before = self._manager.policy.digest
        try:
            policy = self._loader.load(self._path)
            if self._look() != signature:
                # The next look finds it changed and reads it again.
                raise ConfigurationError("it changed while it was read", source=self._path)
        except ConfigurationError as error:
            logger.warning("the changed policy is refused, the old one stays in force: %s", error)
            self._on_event(
                "policy.rejected",
                {"source": self._path, "line": error.line, "reason": str(error), "digest": before},
            )
            return False
        has_changed = policy.digest != before
        if has_changed:
            self._manager.replace(policy)
        if has_changed or tell_same:
            self._on_event(
                "policy.loaded",
                {
                    "source": self._path,
                    "digest": policy.digest,
                    "previous": before,
                    "epoch": self._manager.epoch,
                    "clients": len(policy.clients),
                },
            )
        return True
