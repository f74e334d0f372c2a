"""Asking the kernel who is at the other end."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.resources.kernel.pidfd import PidFd
from mcp_server.security.authentication.local_peers.local_peer import LocalPeer
from mcp_server.security.authentication.peer_identity import PeerIdentity

SO_PEERPIDFD: Final = 77
"""Linux 6.5: a descriptor of the process that connected; Python does not name it yet."""

# pid, uid and gid. Source: unix(7).
_CREDENTIALS: Final = struct.Struct("3i")
_MAX_PATH_BYTES: Final = 4096
_DELETED: Final = " (deleted)"


class PeerReader:
    """Read the user, the number and the executable of a peer's process, and be sure that all three are of one process.

    Process numbers are given again. What `/proc` says of a number is the peer's only while the peer lives, so the
    process is held by a descriptor, which stands for it and for no later one: the number is compared with the
    descriptor's, and after reading it is looked whether the process has ended in between.

    Args:
        proc: Where the process file system is mounted.
        get_option: Reads an option of a socket.
        parent: Returns the number of the process that started this one.
        open_process: Opens a descriptor of a process by its number.
        uid: Returns this process's user.

    Source: unix(7), `SO_PEERCRED`; pidfd_open(2); proc_pid_exe(5).

    >>> one, other = socket.socketpair()
    >>> peer = PeerReader().of_socket(one)
    >>> peer.identity.uid == os.getuid(), peer.identity.pid == os.getpid()
    (True, True)
    >>> peer.close(); one.close(); other.close()
    """

    def __init__(
        self,
        *,
        proc: Path = Path("/proc"),
        get_option: Callable[[socket.socket, int, int], bytes] | None = None,
        parent: Callable[[], int] = os.getppid,
        open_process: Callable[[int], PidFd] = PidFd.open,
        uid: Callable[[], int] = os.getuid,
    ) -> None:
        self._proc = proc
        self._get_option = _option_of if get_option is None else get_option
        self._parent = parent
        self._open_process = open_process
        self._uid = uid

    def of_socket(self, connection: socket.socket) -> LocalPeer:
        """Return who connected to a Unix socket, or made the pair that it is one end of.

        Raises:
            AuthenticationError: The kernel does not say, or the process is beyond this one's view.
        """
        try:
            data = self._get_option(connection, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError as error:
            raise AuthenticationError("peer: the kernel does not say who it is") from error
        pid, uid, _ = _CREDENTIALS.unpack(data)
        if uid < 0:
            # Nobody has connected, or the user has no number here: the overflow of another namespace.
            raise AuthenticationError("peer: the kernel does not say who it is")
        if pid <= 0:
            return LocalPeer(PeerIdentity(uid=uid), None)
        process = self._process_of(connection)
        if process is not None and self._number_of(process) != pid:
            process.close()
            process = None
        return self._look(pid, uid, process)

    def of_parent(self) -> LocalPeer:
        """Return the process that started this one, as far as it still lives.

        Over pipes the kernel does not say who holds the other end. Whoever started this process made them, and it is
        his user's doing whom he gave them to.
        """
        pid = self._parent()
        try:
            process: PidFd | None = self._open_process(pid)
        except OSError:
            process = None
        if process is not None and self._parent() != pid:
            # It ended before it was held, and the number may be another's by now.
            process.close()
            process = None
        return self._look(pid, self._uid(), process)

    def _look(self, pid: int, uid: int, process: PidFd | None) -> LocalPeer:
        executable = None if process is None else self._executable(pid)
        if process is not None and process.has_ended():
            executable = None
        program = None if executable is None else os.path.basename(executable)
        return LocalPeer(PeerIdentity(uid=uid, pid=pid, program=program, executable=executable), process)

    def _executable(self, pid: int) -> str | None:
        try:
            path = os.readlink(self._proc / str(pid) / "exe")
        except OSError:
            # Another user's process, or one that has just ended.
            return None
        # What was replaced while it runs is not what has this name now.
        if path.endswith(_DELETED) or not path.startswith("/") or len(path) >= _MAX_PATH_BYTES:
            return None
        return path

    def _process_of(self, connection: socket.socket) -> PidFd | None:
        try:
            data = self._get_option(connection, SO_PEERPIDFD, struct.calcsize("i"))
        except OSError:
            # An older kernel, or a process that has ended.
            return None
        (descriptor,) = struct.unpack("i", data)
        os.set_inheritable(descriptor, False)
        return PidFd(descriptor)

    def _number_of(self, process: PidFd) -> int | None:
        """Return the number of a held process, None when it has ended or is in another namespace."""
        try:
            text = (self._proc / "self" / "fdinfo" / str(process.fileno())).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        for line in text.splitlines():
            name, _, value = line.partition(":")
            if name == "Pid":
                try:
                    return int(value)
                except ValueError:
                    return None
        return None


def _option_of(connection: socket.socket, option: int, size: int) -> bytes:
    return connection.getsockopt(socket.SOL_SOCKET, option, size)
