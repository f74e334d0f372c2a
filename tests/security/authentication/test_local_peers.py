"""Processes on this machine: N-30 as far as it is who, and not how, and what only looks like somebody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.peer_identity import PeerIdentity
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.support.authentication_rig import AuthenticationRig

POLICY = """
version = 1
[client.desk]
[[client.desk.match]]
peer = { uid = 1000, program = "/usr/bin/desk" }
[client.shell]
[[client.shell.match]]
peer = { uid = 1001 }
[client.claude]
started_by = ["/opt/claude/claude", "/usr/bin/claude"]
"""
DESK = PeerIdentity(uid=1000, pid=7, program="desk", executable="/usr/bin/desk")


@pytest.fixture
def rig() -> AuthenticationRig:
    return AuthenticationRig(POLICY)


def test_the_right_user_with_the_right_program(rig: AuthenticationRig) -> None:
    assert rig.show(peer=DESK, listener=None).client == "desk"


@pytest.mark.parametrize(
    "peer",
    [
        PeerIdentity(uid=0, pid=7, executable="/usr/bin/desk"),
        PeerIdentity(uid=1002, pid=7, executable="/usr/bin/desk"),
        PeerIdentity(uid=1000, pid=7, program="desk", executable="/tmp/desk"),
        # What a process calls itself, and what nobody could read of this very process.
        PeerIdentity(uid=1000, pid=7, program="desk"),
        PeerIdentity(uid=1000),
    ],
)
def test_n30_another_user_or_another_program_is_nobody(rig: AuthenticationRig, peer: PeerIdentity) -> None:
    assert rig.refusal(peer=peer, listener=None) == "peer: leads to no client"


def test_root_is_a_user_like_others(rig: AuthenticationRig) -> None:
    assert rig.refusal(peer=PeerIdentity(uid=0), listener=None) == "peer: leads to no client"


def test_a_token_counts_beside_the_user(rig: AuthenticationRig) -> None:
    """Over a socket of the user 1001, a certificate that leads nowhere is not passed over for the user's sake."""
    from tests.support.authentication_rig import certificate

    assert rig.show(peer=PeerIdentity(uid=1001), listener=None).client == "shell"
    refused = rig.refusal(peer=PeerIdentity(uid=1001), certificate=certificate(), listener=None)
    assert refused == "mtls and peer: leads to no client"


def started_by(executable: str | None) -> AuthenticationManager:
    return AuthenticationManager(
        permissions=PermissionManager(policy=PolicyLoader().parse(POLICY)),
        read_parent=lambda: PeerIdentity(uid=1, pid=7, program="claude", executable=executable),
    )


@pytest.mark.parametrize("executable", ["/opt/claude/claude", "/usr/bin/claude"])
def test_a_server_that_the_named_program_started(executable: str) -> None:
    shown = Credentials(transport="stdio", profile="claude")
    assert started_by(executable).authenticate(shown).client == "claude"


@pytest.mark.parametrize("executable", ["/tmp/claude", "/usr/bin/claude2", "/usr/bin", "claude", None])
def test_a_server_that_somebody_else_started_is_nobodys(executable: str | None) -> None:
    manager = started_by(executable)
    with pytest.raises(AuthenticationError) as caught:
        manager.authenticate(Credentials(transport="stdio", profile="claude"))
    assert "started by a program" in caught.value.reason
    # The negative control: a client of which the policy says nothing of the kind.
    assert manager.authenticate(Credentials(transport="stdio", profile="desk")).client == "desk"


def test_where_nobody_can_tell_who_started_it_it_was_nobody() -> None:
    manager = AuthenticationManager(permissions=PermissionManager(policy=PolicyLoader().parse(POLICY)))
    with pytest.raises(AuthenticationError) as caught:
        manager.authenticate(Credentials(transport="stdio", profile="claude"))
    assert "started by a program" in caught.value.reason


PROGRAM = """
import sys
from pathlib import Path
from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.resources.resource_config import ResourceConfig
from mcp_server.resources.resource_tier import ResourceTier
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.security_config import SecurityConfig
from mcp_server.security.security_tier import SecurityTier

policy = PolicyLoader().parse(f'version = 1\\n[client.claude]\\nstarted_by = ["{sys.argv[1]}"]\\n')
resources = ResourceTier(config=ResourceConfig())
config = SecurityConfig(policy=policy, audit_directory=Path(sys.argv[2]))
security = SecurityTier(config=config, resources=resources)
try:
    print(security.authentication.authenticate(Credentials(transport="stdio", profile="claude")).client)
except AuthenticationError as error:
    print(error.reason)
finally:
    resources.close()
"""


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (os.readlink("/proc/self/exe"), "claude"),
        ("/usr/bin/no-such-program", "peer: this server was started by a program that the policy does not name"),
    ],
)
def test_the_kernel_is_asked_who_started_a_server(checkout: Path, tmp_path: Path, program: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, program, str(tmp_path / "audit")],
        cwd=checkout,
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    assert done.stdout.strip() == said
