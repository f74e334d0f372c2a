"""The program that makes the namespaces."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import Final

from mcp_server.resources.isolation.interpreter import INSIDE, Interpreter
from mcp_server.resources.isolation.resource_limits import ResourceLimits

PROGRAM: Final = "/usr/bin/bwrap"
"""Named by its absolute path, for one found by `PATH` is whoever's came first. Distributions that forbid namespaces to
others allow them to the program of this name."""

WORKSPACE: Final = "/workspace"
PACKAGE: Final = "/opt/mcp-server"
"""Where the runner finds its own code inside."""

HIDDEN_USER: Final = 1000
"""The account that everything inside seems to run as, whoever that is outside."""

HOST_DIRECTORIES: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")

ETC: Final = {
    "passwd": b"user:x:1000:1000:user:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": b"user:x:1000:\nnogroup:x:65534:\n",
    "hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
}
"""All there is of the host's accounts and names: none of them."""

ETC_OF_THE_HOST: Final = ("ld.so.cache",)
"""What programs need to be found: the linker's index."""

AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where certificates of authorities are inside, for those who may reach something."""

AUTHORITIES_OF_THE_HOST: Final = (AUTHORITIES, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
"""Where distributions keep them; the first that is there."""


class Bubblewrap:
    """Writes the options of a sandbox, from an empty root up: what is not named here does not exist inside.

    No mount destination lies below the workspace: versions before 0.12 follow a link planted there (CVE-2026-87766).
    The workspace is bound by an open descriptor, so that what was looked at is what is mounted.

    Args:
        program: Its absolute path.

    Source: bwrap(1); `docs/explanation/how-code-is-contained.md`.

    >>> Bubblewrap().program
    '/usr/bin/bwrap'
    """

    def __init__(self, program: str = PROGRAM) -> None:
        self.program = program

    def problem(self) -> str | None:
        """Return why the program must not be used, None when it may be."""
        try:
            found = os.stat(self.program, follow_symlinks=True)
        except OSError:
            return f"{self.program} is not installed; install the package 'bubblewrap'"
        if not stat.S_ISREG(found.st_mode) or not found.st_mode & stat.S_IXUSR:
            return f"{self.program} is no program"
        if found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"{self.program} can be changed by others than root"
        if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
            return f"{self.program} is setuid; install a version that is not"
        return None

    def options(
        self,
        *,
        interpreter: Interpreter,
        interpreter_fd: int | None,
        files: Iterable[tuple[str, int]],
        workspace_fd: int | None,
        may_write: bool,
        seccomp_fd: int,
        status_fd: int,
        limits: ResourceLimits,
        workspace_path: str = WORKSPACE,
        code: Iterable[tuple[str, int]] = (),
        shares_network: bool = False,
    ) -> list[str]:
        """Return the options, without the program and the command.

        Args:
            interpreter: The Python inside.
            interpreter_fd: Its installation, open; None where `/usr` holds it.
            files: Absolute paths inside, each with a descriptor its contents are read from.
            workspace_fd: The workspace, open; None for an empty one.
            may_write: Whether the workspace is writable.
            seccomp_fd: A descriptor the system call filter is read from.
            status_fd: Where the sandbox tells its first process.
            limits: For the sizes of what is in memory.
            workspace_path: Where the workspace is found inside.
            code: Further files and directories that may be read, each with a descriptor of it.
            shares_network: Leave the host's network in place; only to show what its absence prevents.
        """
        size = str(limits.tmp_bytes)
        options = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
        if shares_network:
            options.append("--share-net")
        options += ["--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"]
        options += ["--uid", str(HIDDEN_USER), "--gid", str(HIDDEN_USER)]
        options += ["--ro-bind", "/usr", "/usr", *self._host_links()]
        options += ["--dir", "/etc"]
        if os.path.isdir("/etc/alternatives"):
            options += ["--ro-bind", "/etc/alternatives", "/etc/alternatives"]
        if interpreter_fd is not None:
            options += ["--ro-bind-fd", str(interpreter_fd), INSIDE]
        for path, descriptor in files:
            options += ["--perms", "0444", "--ro-bind-data", str(descriptor), path]
        options += ["--proc", "/proc", "--dev", "/dev"]
        for directory in ("/tmp", "/dev/shm"):  # noqa: S108 - inside, and nobody else's
            options += ["--size", size, "--perms", "0700", "--tmpfs", directory]
        for path, descriptor in code:
            options += ["--ro-bind-fd", str(descriptor), path]
        if workspace_fd is None:
            options += ["--size", size, "--perms", "0700", "--tmpfs", workspace_path]
        else:
            options += ["--bind-fd" if may_write else "--ro-bind-fd", str(workspace_fd), workspace_path]
        # The directory of the devices would be one without a bound.
        options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", workspace_path]
        for name, value in self.environment().items():
            options += ["--setenv", name, value]
        options += ["--seccomp", str(seccomp_fd), "--json-status-fd", str(status_fd)]
        return options

    @staticmethod
    def environment() -> dict[str, str]:
        """Return the whole environment inside, unless a policy adds to it."""
        return {
            "HOME": "/tmp",  # noqa: S108 - inside, and nobody else's
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "TMPDIR": "/tmp",  # noqa: S108 - as above
        }

    @staticmethod
    def _host_links() -> Sequence[str]:
        """Return options for the directories beside `/usr`, which are links into it nearly everywhere."""
        options: list[str] = []
        for name in HOST_DIRECTORIES:
            path = f"/{name}"
            if os.path.islink(path):
                options += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                options += ["--ro-bind", path, path]
        return options
