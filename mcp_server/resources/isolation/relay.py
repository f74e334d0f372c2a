"""The listener inside a sandbox that hands every connection to the server."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import Final

PORT: Final = 3128
"""Where it listens, in a network that nobody else is in; the number is that of other proxies."""

BACKLOG: Final = 16
"""Connections that wait; package managers open about ten at once."""


class Relay:
    """Listen on the loopback of the sandbox's own network, and pass on what connects, as descriptors.

    Not a byte of a connection passes through here: the server gets the connected socket itself, and asks of it what it
    is for. While the server takes no more, nothing more is accepted. It runs in the runner, outside the restrictions of
    what is run.

    Args:
        channel: A descriptor of a socket to the server that keeps messages apart.

    >>> Relay.environment()["https_proxy"]
    'http://127.0.0.1:3128'
    """

    def __init__(self, channel: int) -> None:
        self._channel = socket.socket(fileno=channel)
        self._channel.setblocking(False)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", PORT))
        self._listener.listen(BACKLOG)

    @staticmethod
    def environment() -> dict[str, str]:
        """Return the variables by which programs find it; nothing is to be reached without it."""
        proxies = dict.fromkeys(("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"), f"http://127.0.0.1:{PORT}") | {
            "NO_PROXY": ""
        }
        return proxies | {name.lower(): value for name, value in proxies.items()}

    def serve_until(self, ended: int) -> None:
        """Pass on what connects until a descriptor can be read.

        Args:
            ended: The descriptor: of a process, which can be read when it has ended.
        """
        waiting = select.poll()
        waiting.register(ended, select.POLLIN)
        waiting.register(self._listener, select.POLLIN)
        while ended not in {each for each, _ in waiting.poll()}:
            # Whoever connected may have left already.
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    self._pass_on(connection, ended)
        self._listener.close()
        self._channel.close()

    def _pass_on(self, connection: socket.socket, ended: int) -> None:
        waiting = select.poll()
        waiting.register(ended, select.POLLIN)
        waiting.register(self._channel, select.POLLOUT)
        while ended not in {each for each, _ in waiting.poll()}:
            with contextlib.suppress(BlockingIOError):
                socket.send_fds(self._channel, [b"C"], [connection.fileno()])
                return
