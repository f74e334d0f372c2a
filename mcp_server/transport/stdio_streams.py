"""Private ends of the two pipes a desktop client gave us."""

from __future__ import annotations

import errno
import fcntl
import os
from dataclasses import dataclass
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.peer_identity import PeerIdentity

FIRST_PRIVATE_FD: Final = 3
"""Behind the standard three, also where the program was started with one of them closed."""


@dataclass(frozen=True, slots=True)
class StdioStreams:
    """File descriptors of the protocol, out of reach of everything that prints or reads.

    Args:
        read_fd: Where messages come from.
        write_fd: Where messages go.

    Source: MCP, basic/transports, "stdio": nothing but messages on stdout.
    """

    read_fd: int
    write_fd: int

    @classmethod
    def take_over(cls) -> Self:
        """Move stdin and stdout to private descriptors, and leave harmless ones in their place.

        Descriptor 0 then reads as empty and descriptor 1 goes to stderr, for this process, for C code in it and for
        its children. Call it before any module of a user is imported: an import may print.
        """
        # The copies are closed on exec, so no child can read or write the protocol.
        try:
            read_fd = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_FD)
            write_fd = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_FD)
        except OSError as error:
            raise ConfigurationError(
                "standard input and standard output must both be open; an AI client starts this program and talks "
                "to it through them"
            ) from error
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        try:
            os.dup2(2, 1)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            # Nobody reads our errors. Number 2 must not become the next file that is opened.
            os.dup2(null, 1)
            os.dup2(null, 2)
        if null >= FIRST_PRIVATE_FD:
            os.close(null)
        return cls(read_fd, write_fd)

    def peer(self) -> PeerIdentity:
        """Return what the kernel says of the process that started us: our parent, under our own user."""
        parent = os.getppid()
        try:
            with open(f"/proc/{parent}/comm", encoding="utf-8", errors="replace") as file:
                program: str | None = file.read(64).strip()
        except OSError:
            program = None
        return PeerIdentity(uid=os.getuid(), pid=parent, program=program)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.read_fd)
        os.close(self.write_fd)
