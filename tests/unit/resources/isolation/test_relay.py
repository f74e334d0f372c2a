from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from mcp_server.resources.isolation import relay
from mcp_server.resources.isolation.relay import PORT, Relay


class Served:
    """A relay in a thread, until it is told that what it waits for has ended."""

    def __init__(self) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(10)
        self.relay = Relay(theirs.detach())
        self.address = self.relay._listener.getsockname()
        self.ended, self._ending = os.pipe()
        self.thread = threading.Thread(target=self.relay.serve_until, args=(self.ended,))
        self.thread.start()

    def end(self) -> None:
        os.write(self._ending, b"x")
        self.thread.join(10)
        assert not self.thread.is_alive()

    def close(self) -> None:
        self.end()
        self.ours.close()
        os.close(self.ended)
        os.close(self._ending)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # On the host it shares the ports with others.
    monkeypatch.setattr(relay, "PORT", 0)
    served = Served()
    yield served
    served.close()


def test_what_connects_is_handed_over_as_it_is(served: Served) -> None:
    with socket.create_connection(served.address) as plug:
        message, descriptors, _, _ = socket.recv_fds(served.ours, 10, 10)
        assert (message, len(descriptors)) == (b"C", 1)
        with socket.socket(fileno=descriptors[0]) as connection:
            assert connection.getpeername() == plug.getsockname()
            connection.sendall(b"from the server")
            assert plug.recv(100) == b"from the server"


def test_it_listens_on_loopback_alone(served: Served) -> None:
    assert served.address[0] == "127.0.0.1"


def test_it_ends_while_the_server_takes_nothing(served: Served) -> None:
    plugs = []
    served.ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
    served.relay._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)
    for _ in range(400):
        plug = socket.socket()
        plug.setblocking(False)
        plug.connect_ex(served.address)
        plugs.append(plug)
    served.end()
    assert served.relay._listener.fileno() == -1
    for plug in plugs:
        plug.close()


def test_a_server_that_is_gone_ends_what_connects(served: Served) -> None:
    served.ours.close()
    with socket.create_connection(served.address) as plug:
        plug.settimeout(10)
        assert plug.recv(1) == b""


def test_programs_find_it_by_all_the_names() -> None:
    found = Relay.environment()
    assert {found[f"{kind}_{word}"] for kind in ("http", "https", "all") for word in ("proxy",)} == {
        f"http://127.0.0.1:{PORT}"
    }
    assert found["NO_PROXY"] == found["no_proxy"] == ""
    assert {name.lower() for name in found} == {name for name in found if name.islower()}
