"""The only reader of configuration files and of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mcp_server.core.constants import ENVIRONMENT_PREFIX
from mcp_server.core.server_config import ServerConfig
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader


class ConfigLoader:
    """Make a `ServerConfig` of what the program says and, where it is silent, of the environment.

    Read are `MCP_SERVER_POLICY`, `MCP_SERVER_STATE` and `MCP_SERVER_CLIENT`, and `XDG_STATE_HOME` for the default.

    Args:
        environment: The environment variables.

    >>> ConfigLoader({"XDG_STATE_HOME": "/var/lib"}).state_directory(None).as_posix()
    '/var/lib/mcp-server'
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def build(
        self,
        *,
        name: str,
        version: str,
        title: str | None,
        instructions: str | None,
        policy: str | os.PathLike[str] | Policy | None,
        folders: Sequence[str | os.PathLike[str]],
        client: str,
        state: str | os.PathLike[str] | None,
        durability: str,
    ) -> ServerConfig:
        """Return the checked settings; see `MCPServer` for the arguments.

        Raises:
            ConfigurationError: Something cannot be used.
        """
        if policy is not None and folders:
            raise ConfigurationError("give folders or a policy, not both; a policy names the folders of each client")
        if policy is None and not folders:
            policy = self._environment.get(ENVIRONMENT_PREFIX + "POLICY")
        policy_path: Path | None = None
        if isinstance(policy, Policy):
            loaded = policy
        elif policy is not None:
            policy_path = Path(policy).absolute()
            loaded = PolicyLoader().load(policy_path)
        else:
            loaded = Policy.for_folders([os.fspath(folder) for folder in folders], client=client)
        try:
            level = Durability(durability)
        except ValueError as error:
            raise ConfigurationError(f"durability is 'process' or 'disk', not {durability!r}") from error
        return ServerConfig(
            policy=loaded,
            state_directory=self.state_directory(state),
            name=name,
            version=version,
            title=title,
            instructions=instructions,
            policy_path=policy_path,
            client=client,
            durability=level,
        )

    def state_directory(self, given: str | os.PathLike[str] | None) -> Path:
        """Return where the server keeps its state.

        Raises:
            ConfigurationError: No directory was given and the environment names none.
        """
        if given is not None:
            return Path(given).absolute()
        named = self._environment.get(ENVIRONMENT_PREFIX + "STATE")
        if named:
            return Path(named).absolute()
        base = self._environment.get("XDG_STATE_HOME")
        # Source: XDG Base Directory Specification: a relative path is to be ignored.
        if base and os.path.isabs(base):
            return Path(base) / "mcp-server"
        home = self._environment.get("HOME")
        if not home:
            raise ConfigurationError("no state directory: give one with --state, or set HOME")
        return Path(home) / ".local" / "state" / "mcp-server"
