"""What nobody gets, whatever a policy grants.

Kept short enough to be read: places that hold keys to other places, doors to the kernel, and the addresses at which a
cloud machine hands out its own credentials. A policy adds to it under `[default_deny]`, and cannot take away.
"""

from __future__ import annotations

from typing import Final

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.resource_pattern import ResourcePattern

# Each is denied with everything below it.
DENIED_DIRECTORIES: Final = (
    # Keys and credentials of programs that log in elsewhere.
    "**/.ssh",
    "**/.gnupg",
    "**/.aws",
    "**/.azure",
    "**/.config/gcloud",
    "**/.config/gh",
    "**/.config/hub",
    "**/.config/op",
    "**/.config/rclone",
    "**/.config/sops",
    "**/.kube",
    "**/.minikube",
    "**/.password-store",
    "**/.terraform.d",
    "**/.vault-token",
    # Our own: what signs tokens for this server.
    "**/.mcp-server-keys",
    # Keyrings.
    "**/.local/share/keyrings",
    "**/.local/share/kwalletd",
    "**/.kde/share/apps/kwallet",
    "**/Library/Keychains",
    "**/.pki",
    # Profiles of browsers and mail programs: cookies and stored passwords.
    "**/.mozilla",
    "**/.thunderbird",
    "**/.config/google-chrome",
    "**/.config/google-chrome-beta",
    "**/.config/chromium",
    "**/.config/BraveSoftware",
    "**/.config/microsoft-edge",
    "**/.config/opera",
    "**/.config/vivaldi",
    "**/.var/app/org.mozilla.firefox",
    "**/.var/app/com.google.Chrome",
    "**/.var/app/org.chromium.Chromium",
    "**/snap/firefox",
    "**/snap/chromium",
    "**/Library/Application Support/Google/Chrome",
    "**/Library/Application Support/Firefox",
    "**/AppData/Local/Google/Chrome",
    "**/AppData/Roaming/Mozilla",
    # Doors to the kernel and to other processes.
    "/proc",
    "/sys",
    "/run/containerd",
    "/run/podman",
    "/run/crio",
    "/run/user/*/podman",
    "/run/user/*/keyring",
    "/run/user/*/gnupg",
    "/run/secrets",
    "/var/run/secrets",
)

DENIED_FILES: Final = (
    "**/.docker/config.json",
    "**/.config/containers/auth.json",
    "**/.netrc",
    "**/_netrc",
    "**/.pgpass",
    "**/.my.cnf",
    "**/.npmrc",
    "**/.pypirc",
    "**/.git-credentials",
    "**/.config/git/credentials",
    "**/.cargo/credentials",
    "**/.cargo/credentials.toml",
    "**/.gem/credentials",
    "**/.terraformrc",
    "**/.Xauthority",
    "**/.ICEauthority",
    # Whoever talks to one of these is root on the machine.
    "**/docker.sock",
    "**/containerd.sock",
    "**/podman.sock",
    "**/crio.sock",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d/**",
    "/etc/ssh/*_key",
    "/etc/krb5.keytab",
)

# Where clouds hand out the credentials of the machine. All link-local addresses, for that is where they live.
DENIED_ADDRESSES: Final = (
    "169.254.*",
    "[fe80:*",
    "[::ffff:169.254.*",
    "[::ffff:a9fe:*",
    "[fd00:ec2::254]*",
    "[fd20:ce::254]*",
    "100.100.100.200:*",
    "100.100.100.200",
    "168.63.129.16:*",
    "168.63.129.16",
    "192.0.0.192:*",
    "192.0.0.192",
    "metadata.google.internal:*",
    "metadata.google.internal",
    "metadata.goog:*",
    "metadata.goog",
    "metadata:*",
    "instance-data:*",
    "instance-data.ec2.internal:*",
    "metadata.azure.internal:*",
    "metadata.tencentyun.com:*",
)


def default_denies() -> tuple[PolicyRule, ...]:
    """Return the shipped denials: the paths for every right on paths, the addresses for connecting.

    >>> rules = default_denies()
    >>> rules[0].id, rules[0].text, rules[0].types[0]
    ('default_deny.shipped[0]', '**/.ssh', FILE_READ)
    """
    paths = tuple(kind for kind in map(PermissionType, PermissionType.names()) if kind.is_path)
    rules: list[PolicyRule] = []
    for text in (*DENIED_DIRECTORIES, *DENIED_FILES):
        itself = PathPattern.compile(text).under("/")
        patterns = (itself, PathPattern.compile(f"{text}/**").under("/")) if text in DENIED_DIRECTORIES else (itself,)
        rules.append(PolicyRule(f"default_deny.shipped[{len(rules)}]", Effect.DENY, paths, text, patterns))
    for text in DENIED_ADDRESSES:
        rules.append(
            PolicyRule(
                f"default_deny.shipped[{len(rules)}]",
                Effect.DENY,
                (PermissionType.NETWORK_CONNECT,),
                text,
                (ResourcePattern.compile(text),),
            )
        )
    return tuple(rules)
