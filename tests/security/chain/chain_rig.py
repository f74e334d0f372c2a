"""The chain with every part of it real, except the clock and the other end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from mcp_server.resources.blocking_pool import BlockingPool
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.audit.durability import Durability
from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.call_watch import CallWatch
from mcp_server.security.client_manager import ClientManager
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.operation import Operation
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.security_chain import SecurityChain
from tests.security.chain.failing_writer import FailingWriter
from tests.security.chain.fake_clock import FakeClock

POLICY = """
version = 1
[client.local]
folders = ["folder"]
allow = ["FILE_READ *.txt", "FILE_WRITE *.txt", "DIRECTORY_LIST **"]
ask = ["FILE_READ *.ask", "CUSTOM_BELL **"]
deny = ["FILE_READ never.txt"]
[client.other]
folders = ["other"]
allow = ["FILE_READ **"]
"""


class ChainRig:
    """A chain whose operations a test writes itself.

    Args:
        directory: An empty directory.
        policy: The policy's text; folders are relative to the directory.
        durability: What audit records wait for.
        sandboxes: What the operator says about sandboxes.
    """

    def __init__(
        self,
        directory: Path,
        *,
        policy: str = POLICY,
        durability: Durability = Durability.PROCESS,
        sandboxes: SandboxConfig | None = None,
    ) -> None:
        self.directory = directory
        self.folder = directory / "folder"
        for name in ("folder", "other"):
            (directory / name).mkdir()
        for name in ("note.txt", "other.txt", "never.txt", "maybe.ask"):
            (self.folder / name).write_text(f"text of {name}")
        self.clock = FakeClock()
        self.writer = FailingWriter()
        self.records: list[Mapping[str, Any]] = []
        self.permissions = PermissionManager(policy=self.policy(policy))
        self.audit = AuditLogger(directory=directory / "audit", durability=durability, writer=self.writer)
        self.audit.subscribe(self.records.append)
        self.audit.open()
        self.pool = BlockingPool()
        self.sandboxes = SandboxManager(config=sandboxes or SandboxConfig())
        self.clients = ClientManager(permissions=self.permissions, open_files=self._open_files, clock=self.clock)
        self.watch = CallWatch(clock=self.clock, schedule=lambda seconds, function: None)
        self.authentication = AuthenticationManager(permissions=self.permissions)
        numbers = count(1)
        self.chain = SecurityChain(
            authentication=self.authentication,
            permissions=self.permissions,
            clients=self.clients,
            consent=ConsentManager(report=self.audit.append),
            audit=self.audit,
            watch=self.watch,
            pool=self.pool,
            sandboxes=self.sandboxes,
            new_id=lambda: f"call-{next(numbers)}",
            clock=self.clock,
        )
        self.local = Credentials(transport="memory", profile="local", connection="m1")
        self.other = Credentials(transport="memory", profile="other", connection="m2")
        self.opened: list[str] = []

    def policy(self, text: str) -> Any:
        """Return a policy whose relative folders are below the rig's directory."""
        return PolicyLoader(broker_problem=lambda: None).parse(text, base=self.directory)

    def calls(self) -> list[Mapping[str, Any]]:
        """Return the audit records about calls, without those of the log itself."""
        return [record for record in self.records if not str(record["kind"]).startswith("log.")]

    def kinds(self) -> list[str]:
        return [str(record["kind"]) for record in self.calls()]

    def close(self) -> None:
        self.writer.fails_after = None
        self.clients.close()
        self.sandboxes.close()
        self.pool.close()
        if self.audit.is_available:
            self.audit.close()

    def _open_files(self, profile: ClientProfile) -> FileSystemManager | None:
        self.opened.append(profile.name)
        roots = [RootConfig(folder) for folder in profile.folders]
        roots += [RootConfig(folder, is_global=True) for folder in profile.global_folders]
        return FileSystemManager(roots=roots) if roots else None


def operation(
    execute: Callable[[Any], Awaitable[Any]],
    *,
    permissions: tuple[Permission, ...] = (),
    needs: Mapping[Permission, str] | None = None,
    **settings: Any,
) -> Operation:
    """Return the plan of a tool called `probe`."""
    bound = tuple(Need(permission, text) for permission, text in (needs or {}).items())
    defaults: dict[str, Any] = {"kind": "tools/call", "name": "probe", "permissions": permissions, "needs": bound}
    return Operation(execute=execute, **(defaults | settings))


async def nothing(context: Any) -> str:
    """Do nothing, as the handler of an operation."""
    return "done"
