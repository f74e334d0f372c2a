"""What the policy says of one client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mcp_server.security.permissions.client_limits import ClientLimits
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from mcp_server.security.permissions.resource_text import path_parts

if TYPE_CHECKING:
    # For policies that say how clients are recognised; a server for one folder starts without.
    from mcp_server.security.authentication.clients.client_match import ClientMatch
    from mcp_server.security.authentication.messages.message_key_config import MessageKeyConfig


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One client's folders, rules and limits.

    Args:
        name: The client's name in the policy; the command line chooses it, never the client.
        folders: Its own folders, as canonical absolute paths.
        global_folders: Further folders, where writing needs `FILE_WRITE_GLOBAL`.
        rules: What it is allowed, asked for and denied, at all times.
        grants: What it is allowed and asked for within limits of time or number; every one has `limits`.
        limits: How much it may use.
        tools: Patterns of the names of the tools it may see.
        matches: The ways in which it is recognised where the command line does not name it.
        message_keys: The keys with which it signs messages, None when it signs none.
        started_by: The executables of which one must have started the server, where the command line names the client;
            empty for any.
        isolation: `process`: handlers of modules that do not ship with the server run in sandboxed processes;
            `inline`: where the policy or the module says.
        separate_process: Whether its files are opened by a process that can open nothing else.

    >>> ClientProfile("claude", folders=("/home/ada/Notes",)).shows("read_text_file")
    True
    """

    name: str
    folders: tuple[str, ...] = ()
    global_folders: tuple[str, ...] = ()
    rules: PolicyLayer = field(default_factory=PolicyLayer)
    limits: ClientLimits = field(default_factory=ClientLimits)
    tools: tuple[ResourcePattern, ...] = (ResourcePattern("*", ("", "")),)
    isolation: Literal["inline", "process"] = "inline"
    matches: tuple[ClientMatch, ...] = ()
    message_keys: MessageKeyConfig | None = None
    started_by: tuple[str, ...] = ()
    separate_process: bool = False
    grants: tuple[PolicyRule, ...] = ()
    # The folders' names, the longest path first, and whether each is global.
    _places: tuple[tuple[tuple[str, ...], bool], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        places = [(path_parts(folder)[1], False) for folder in self.folders]
        places += [(path_parts(folder)[1], True) for folder in self.global_folders]
        object.__setattr__(self, "_places", tuple(sorted(places, key=lambda place: -len(place[0]))))

    @property
    def granting(self) -> tuple[PolicyRule, ...]:
        """Every rule that allows or asks, limited or not."""
        return (*self.rules.allow, *self.rules.ask, *self.grants)

    def shows(self, tool: str) -> bool:
        """Whether the client may see the tool of this name, if its permissions suffice."""
        return any(pattern.covers(tool) for pattern in self.tools)

    def holds(self, permission_type: PermissionType, parts: tuple[str, ...]) -> bool:
        """Whether a path lies where this kind of right can be used at all.

        The innermost folder decides: `FILE_WRITE` is for the client's own, `FILE_WRITE_GLOBAL` for the global ones,
        every other right for both.

        Args:
            permission_type: The kind of right, one of those for paths.
            parts: The names of a canonical absolute path.
        """
        for folder, is_global in self._places:
            if parts[: len(folder)] == folder:
                if permission_type == PermissionType.FILE_WRITE:
                    return not is_global
                return is_global or permission_type != PermissionType.FILE_WRITE_GLOBAL
        return False
