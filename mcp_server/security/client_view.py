"""What one client may see of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType

SANDBOXED: Final = frozenset(
    {PermissionType.CODE_EXECUTION, PermissionType.CODE_EXECUTION_SUDO, PermissionType.SYSTEM_COMMAND}
)
"""What runs in a sandbox or not at all, unless it is declared `restricted=False` and granted so."""


class ClientView:
    """Answers, and remembers, whether a client may use a tool, prompt or resource at all.

    A name is visible when the profile shows it and every permission it declares could be granted on some resource.

    Args:
        profile: The policy's words about the client.
        permissions: The policy in force.
        epoch: The policy's epoch this view belongs to; a newer one makes a new view.
        narrowing: What a token leaves of the client's rights, None for all of them.
        can_execute: Whether there is a sandbox that is good enough to execute something in.
        can_act_as_root: Whether the operator's actions may be done as root here.

    >>> from mcp_server.security.permissions.policy import Policy
    >>> policy = Policy.for_folders([], client="local")
    >>> view = ClientView(profile=policy.clients["local"], permissions=PermissionManager(policy=policy), epoch=1)
    >>> view.may_use("tools/call", "echo", ())
    True
    """

    __slots__ = (
        "_can_act_as_root",
        "_can_execute",
        "_narrowing",
        "_permissions",
        "_profile",
        "_seen",
        "epoch",
        "fingerprint",
    )

    def __init__(
        self,
        *,
        profile: ClientProfile,
        permissions: PermissionManager,
        epoch: int,
        narrowing: Narrowing | None = None,
        can_execute: Callable[[], bool] = lambda: False,
        can_act_as_root: Callable[[], bool] = lambda: False,
    ) -> None:
        self._profile = profile
        self._permissions = permissions
        self._narrowing = narrowing
        self._can_execute = can_execute
        self._can_act_as_root = can_act_as_root
        self._seen: dict[str, tuple[Sequence[Permission], bool]] = {}
        self.epoch = epoch
        # A page of a list goes on for whoever sees the same.
        self.fingerprint = f"{profile.name}.{epoch}{'' if narrowing is None else f'.{narrowing.digest}'}"

    def may_use(self, kind: str, name: str, permissions: Sequence[Permission]) -> bool:
        """Whether the client may use the operation `name`, on some resource at least.

        Args:
            kind: The protocol's method; name patterns of the profile are about tools only.
            name: The tool's, prompt's or resource's name.
            permissions: What it declares.
        """
        if kind != "tools/call":
            # Names of resources are free text of the client: remember only the catalogue's own.
            return self._decide(kind, name, permissions)
        seen = self._seen.get(name)
        if seen is None or seen[0] is not permissions:
            # A tool that was replaced comes with other declarations, even under the same name.
            seen = (permissions, self._decide(kind, name, permissions))
            self._seen[name] = seen
        return seen[1]

    def _decide(self, kind: str, name: str, permissions: Sequence[Permission]) -> bool:
        if kind == "tools/call" and not self._profile.shows(name):
            return False
        might_use = self._permissions.might_use
        if not all(each.optional or might_use(self._profile.name, each, self._narrowing) for each in permissions):
            return False
        # What wants a sandbox to execute in is not offered where there is none, rather than run without. Asked last,
        # for finding it out takes a moment.
        wanted = {each.type for each in permissions if each.restricted and each.type in SANDBOXED}
        if PermissionType.CODE_EXECUTION_SUDO in wanted and not self._can_act_as_root():
            return False
        return not wanted or self._can_execute()
