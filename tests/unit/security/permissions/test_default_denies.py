from __future__ import annotations

import pytest

from mcp_server.security.permissions.default_denies import default_denies
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_subject import PolicySubject

LAYER = PolicyLayer(deny=default_denies())
PATH_TYPES = [kind for kind in map(PermissionType, PermissionType.names()) if kind.is_path]


@pytest.mark.parametrize("kind", PATH_TYPES)
@pytest.mark.parametrize(
    "path",
    ["/home/ada/.ssh", "/home/ada/.ssh/id_ed25519", "/srv/attic/.gnupg/private-keys-v1.d/x", "/.aws/credentials",
     "/home/ada/.config/gcloud/credentials.db", "/home/ada/.kube/config", "/home/ada/.docker/config.json",
     "/proc/self/environ", "/proc", "/sys/kernel", "/run/docker.sock", "/var/run/docker.sock",
     "/run/user/1000/podman/podman.sock", "/home/ada/.mozilla/firefox/x/logins.json",
     "/home/ada/.config/google-chrome/Default/Cookies", "/home/ada/.local/share/keyrings/login.keyring",
     "/home/ada/Notes/.SSH/id", "/etc/shadow", "/home/ada/.git-credentials", "/home/ada/.netrc"],
)  # fmt: skip
def test_places_with_keys_are_denied_for_every_right_on_paths(kind: PermissionType, path: str) -> None:
    assert LAYER.rule_for(Effect.DENY, PolicySubject.read(kind, path)) is not None


@pytest.mark.parametrize(
    "path",
    ["/home/ada/Notes/a.md", "/home/ada/ssh/a", "/home/ada/.config/app/a", "/home/ada/.docker/cli-plugins",
     "/data/proc/a", "/home/ada/.sshd", "/tmp/x", "/home/ada/.github/workflows/ci.yml", "/home/ada/.env.example"],
)  # fmt: skip
def test_ordinary_places_are_not(path: str) -> None:
    assert LAYER.rule_for(Effect.DENY, PolicySubject.read(PermissionType.FILE_READ, path)) is None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254:80", "169.254.170.2:80", "[fd00:ec2::254]:80", "metadata.google.internal:80",
     "METADATA.GOOGLE.INTERNAL:80", "100.100.100.200:80", "[::ffff:169.254.169.254]:80", "[fe80::1]:80"],
)  # fmt: skip
def test_the_addresses_of_cloud_credentials_are_denied(address: str) -> None:
    assert LAYER.rule_for(Effect.DENY, PolicySubject.read(PermissionType.NETWORK_CONNECT, address)) is not None


@pytest.mark.parametrize(
    "address", ["api.example.com:443", "169.25.4.1:80", "127.0.0.1:5432", "metadata.example.com:80"]
)
def test_ordinary_addresses_are_not(address: str) -> None:
    assert LAYER.rule_for(Effect.DENY, PolicySubject.read(PermissionType.NETWORK_CONNECT, address)) is None


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in default_denies()]
    assert len(set(ids)) == len(ids)
