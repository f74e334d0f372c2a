"""The only reader of configuration files and of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp_server.core.constants import DEFAULT_CLIENT, ENVIRONMENT_PREFIX
from mcp_server.core.server_config import ServerConfig
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import APART_VARIABLE
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy

if TYPE_CHECKING:
    from mcp_server.tools.definition_lock import DefinitionLock

FILE_KEYS: Final[Mapping[str, type]] = {
    "name": str,
    "title": str,
    "instructions": str,
    "policy": str,
    "folders": list,
    "client": str,
    "state": str,
    "durability": str,
    "modules": list,
}
"""The keys of a configuration file, and what they hold."""

_MEMORY_VARIABLES: Final = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
"""With these the operator tells glibc himself how to keep memory (mallopt(3)); then nothing is changed about it."""

_CLIENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class ConfigLoader:
    """Make a `ServerConfig` of what the program says and, where it is silent, of the environment.

    Read are `MCP_SERVER_POLICY`, `MCP_SERVER_STATE` and `MCP_SERVER_CLIENT`, and `XDG_STATE_HOME` for the default; and
    whether the operator set how the C library keeps memory.

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
        client: str | None,
        state: str | os.PathLike[str] | None,
        durability: str,
        unsafe_allow_unsandboxed: bool = False,
    ) -> ServerConfig:
        """Return the checked settings; see `MCPServer` for the arguments.

        Raises:
            ConfigurationError: Something cannot be used.
        """
        is_apart = bool(self._environment.get(APART_VARIABLE))
        if is_apart:
            # A program that was imported again for its handlers: it serves nobody, and its folders are not here.
            policy, folders = Policy(), ()
        if policy is not None and folders:
            raise ConfigurationError("give folders or a policy, not both; a policy names the folders of each client")
        if policy is None and not folders:
            policy = self._environment.get(ENVIRONMENT_PREFIX + "POLICY")
        client = client or self._environment.get(ENVIRONMENT_PREFIX + "CLIENT") or DEFAULT_CLIENT
        if not _CLIENT.fullmatch(client):
            # It is the name of a directory too, that of the client's audit log.
            raise ConfigurationError(
                f"{client!r} is no client's name: up to 64 letters, digits, '_', '-' or '.', a letter or digit first"
            )
        policy_path: Path | None = None
        if isinstance(policy, Policy):
            loaded = policy
        elif policy is not None:
            # Imported for those who have a policy file: a server for one folder starts without the loader.
            from mcp_server.security.permissions.policy_loader import PolicyLoader

            policy_path = Path(policy).absolute()
            loaded = PolicyLoader().load(policy_path)
        else:
            loaded = Policy.for_folders([os.fspath(folder) for folder in folders], client=client)
        loaded = self._with_consent(loaded, allows_unsandboxed=unsafe_allow_unsandboxed)
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
            is_apart=is_apart,
            keeps_memory=not any(name in self._environment for name in _MEMORY_VARIABLES),
        )

    @staticmethod
    def _with_consent(policy: Policy, *, allows_unsandboxed: bool) -> Policy:
        """Return the policy; code runs that nothing contains only where whoever starts the server says so too."""
        if policy.sandbox.min_tier is not IsolationTier.NONE:
            return policy
        if not allows_unsandboxed:
            raise ConfigurationError(
                'the policy says min_tier = "none": code could run that nothing contains. Who wants that starts the '
                "server with --unsafe-allow-unsandboxed too; else leave min_tier out, and see `mcp-server doctor`"
            )
        return replace(policy, sandbox=replace(policy.sandbox, allows_unsandboxed=True))

    def read_lock(self, path: str | os.PathLike[str]) -> DefinitionLock:
        """Return the lock of definitions in a file that nobody else could have written.

        Raises:
            ConfigurationError: It cannot be read or is none.
        """
        from mcp_server.security.permissions.policy_file_reader import PolicyFileReader
        from mcp_server.tools.definition_lock import DefinitionLock

        source = os.fspath(path)
        return DefinitionLock.parse(PolicyFileReader().read(source), source=source)

    def read_file(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the settings of a configuration file; paths in it are relative to its directory.

        It is TOML, with the keys of `FILE_KEYS`, named like the options of the command line.

        Raises:
            ConfigurationError: The file cannot be read, or has a key or value that is not understood.
        """
        import tomllib

        source = os.fspath(path)
        try:
            data = Path(path).read_bytes()
            settings = tomllib.loads(data.decode("utf-8"))
        except OSError as error:
            raise ConfigurationError(f"cannot be read: {error.strerror}", source=source) from error
        except ValueError as error:
            raise ConfigurationError(f"is not TOML: {error}", source=source) from error
        base = Path(path).absolute().parent
        for key, value in settings.items():
            kind = FILE_KEYS.get(key)
            if kind is None:
                raise ConfigurationError(f"unknown key {key!r}; known are {', '.join(FILE_KEYS)}", source=source)
            if kind is list and isinstance(value, list) and all(isinstance(each, str) for each in value):
                continue
            if kind is not str or not isinstance(value, str):
                raise ConfigurationError(
                    f"{key!r} must be a {'list of texts' if kind is list else 'text'}", source=source
                )
        for key in ("policy", "state"):
            if key in settings:
                settings[key] = str(base / settings[key])
        if "folders" in settings:
            settings["folders"] = [str(base / folder) for folder in settings["folders"]]
        return settings

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
