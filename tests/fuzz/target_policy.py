"""Policies: a text is a policy or an error that says where; and no policy grants what lies outside its folders."""

from __future__ import annotations

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_comparison import PolicyComparison
from mcp_server.security.permissions.policy_loader import PolicyLoader

name = "policy"

corpus = (
    b"version = 1\n",
    b'version = 1\n[client.ada]\nfolders = ["/srv/desk"]\nallow = ["FILE_READ **/*.md", "DIRECTORY_LIST"]\n',
    b'version = 1\n[client.ada]\nfolders = ["/srv/{client}"]\nask = ["FILE_WRITE *.txt"]\ndeny = ["FILE_READ **/.e"]\n',
    b'version = 1\n[ceiling]\nallow = ["FILE_READ **"]\n[client.b]\nfolders = ["/srv/desk"]\nallow = ["FILE_READ"]\n',
    b'version = 1\n[default_deny]\nextra = ["FILE_READ **/*.pem"]\n[client."b.c"]\ntools = ["read_*", "echo"]\n',
    b'version = 1\n[client.a]\nlimits = { calls_per_minute = 60, workspace_bytes = 0 }\nisolation = "process"\n',
    b'version = 1\n[client.a]\nallow = ["NETWORK_CONNECT *.example.com:443", "CODE_EXECUTION unrestricted"]\n',
    b'version = 1\n[client.a]\nglobal_folders = ["/srv/more"]\nallow = ["FILE_WRITE_GLOBAL **"]\n',
    (
        b'version = 1\n[client.a]\nfolders = ["/srv/d"]\n[[client.a.grant]]\nallow = "FILE_READ *.md"\n'
        b"not_before = 1970-01-01T00:00:00Z\nexpires = 9999-12-31T23:59:59-14:00\nmax_uses = 3\n"
    ),
    (
        b'version = 1\n[scope."files:read"]\nallow = ["FILE_READ **"]\n[custom.CUSTOM_Q]\nmatcher = "parts"\n'
        b'[client.a]\nallow = ["CUSTOM_Q a/*", "S3_READ b/**", "SQL_READ a/b/*", "DBUS_CALL session/a.b/**/a.b/C"]\n'
    ),
    b'version = 1 # \xc3\xa9\n[client.a]\nfolders = [\n  "~/notes",\n]\nallow = ["""FILE_READ\n**"""]\n',
)

LOADER = PolicyLoader(home="/home/ada", realpath=lambda path: path, isdir=lambda path: path.startswith("/srv"))
OUTSIDE = ("/etc/shadow", "/srv/attic/.ssh/id", "/srvother/a.md", "/home/ada/a.md")


def run(data: bytes) -> None:
    """Parse the input, and ask the policy for what lies elsewhere."""
    text = data.decode("utf-8", "replace")
    refusal: ConfigurationError | None = None
    try:
        policy = LOADER.parse(text, source="fuzz")
    except ConfigurationError as error:
        refusal = error
    if refusal is not None:
        assert refusal.message.startswith("fuzz:")
        assert refusal.source == "fuzz"
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1
        return
    assert len(policy.digest) == 64
    manager = PermissionManager(policy=policy, clock=lambda: 1_000_000_000.0)
    assert not any(change.widens for change in PolicyComparison(policy, policy).changes())
    for client, profile in policy.clients.items():
        if any(rule.text.partition(" ")[2].startswith(("/", "~", "{home}")) for rule in profile.granting):
            continue
        folders = (*profile.folders, *profile.global_folders)
        for path in OUTSIDE:
            if not any(path.startswith(f"{folder}/") for folder in folders):
                assert manager.decide(client, PermissionType.FILE_READ, path).effect is Effect.DENY
