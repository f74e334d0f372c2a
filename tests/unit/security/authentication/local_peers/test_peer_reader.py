from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.resources.kernel.pidfd import PidFd
from mcp_server.security.authentication.local_peers.peer_reader import SO_PEERPIDFD, PeerReader

ME = os.readlink("/proc/self/exe")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    yield one, other
    one.close()
    other.close()


def credentials(pid: int, uid: int, gid: int = 0) -> bytes:
    return struct.pack("3i", pid, uid, gid)


def reader(pid: int, uid: int = 1000, *, holds: int | None = None, **more: Any) -> PeerReader:
    """Return a reader to which the kernel says what a test wants: `holds` is the process of the descriptor."""

    def get_option(connection: socket.socket, option: int, size: int) -> bytes:
        if option == socket.SO_PEERCRED:
            return credentials(pid, uid)
        if holds is None:
            raise OSError("no such option")
        return struct.pack("i", os.pidfd_open(holds))

    return PeerReader(get_option=get_option, **more)


def test_a_peer_is_who_the_kernel_says(pair: Any) -> None:
    peer = PeerReader().of_socket(pair[0])
    assert (peer.identity.uid, peer.identity.pid) == (os.getuid(), os.getpid())
    assert peer.process is not None
    assert (peer.identity.executable, peer.identity.program) == (ME, os.path.basename(ME))
    assert not os.get_inheritable(peer.process.fileno())
    peer.close()


def test_a_child_that_connected_is_known_until_it_ends(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    program = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", program, path], stdin=subprocess.PIPE)
    connection, _ = listener.accept()
    peer = PeerReader().of_socket(connection)
    assert (peer.identity.pid, peer.identity.executable) == (child.pid, ME)
    assert peer.process is not None
    assert not peer.process.has_ended()
    child.communicate()
    assert peer.process.has_ended()
    # Its number means nothing any more: now there is no executable to be had by it.
    late = PeerReader().of_socket(connection)
    assert late.identity.executable is None
    for each in (peer, late, connection, listener):
        each.close()


def test_the_number_of_another_process_is_not_believed(pair: Any) -> None:
    """The peer has ended, and its number is another process's by now: this one's."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    peer = reader(os.getpid(), holds=child.pid).of_socket(pair[0])
    assert (peer.identity.uid, peer.identity.executable, peer.process) == (1000, None, None)
    # The negative control: by its number alone it would be taken for us.
    assert os.readlink(f"/proc/{peer.identity.pid}/exe") == ME
    child.communicate(b"\n")


def test_without_a_descriptor_there_is_a_user_and_a_label(pair: Any) -> None:
    peer = reader(os.getpid()).of_socket(pair[0])
    assert (peer.identity.pid, peer.identity.executable, peer.process) == (os.getpid(), None, None)


def test_a_process_that_ends_while_it_is_looked_at_is_not_believed(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PidFd, "has_ended", lambda self: True)
    peer = reader(os.getpid(), holds=os.getpid()).of_socket(pair[0])
    assert peer.identity.executable is None
    peer.close()


@pytest.mark.parametrize("link", ["/usr/bin/x (deleted)", "x", "/" + "x" * 250])
def test_an_executable_that_is_not_what_its_path_says(pair: Any, tmp_path: Path, link: str) -> None:
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "exe").symlink_to(link)
    (tmp_path / "self").symlink_to("/proc/self")
    peer = reader(os.getpid(), holds=os.getpid(), proc=tmp_path).of_socket(pair[0])
    assert peer.process is not None
    assert peer.identity.executable == (link if link.startswith("/x") else None)
    peer.close()


@pytest.mark.parametrize("answer", [credentials(0, -1), OSError("no such option")])
def test_what_the_kernel_does_not_say_is_nobody(pair: Any, answer: Any) -> None:
    def get_option(connection: socket.socket, option: int, size: int) -> bytes:
        if isinstance(answer, OSError):
            raise answer
        return bytes(answer)

    with pytest.raises(AuthenticationError) as caught:
        PeerReader(get_option=get_option).of_socket(pair[0])
    assert caught.value.reason.startswith("peer: ")


def test_a_peer_of_another_namespace_has_a_user_and_no_number(pair: Any) -> None:
    peer = reader(0, 65534, holds=os.getpid()).of_socket(pair[0])
    assert (peer.identity.uid, peer.identity.pid, peer.process) == (65534, None, None)


def test_the_parent_is_held(checkout: Path) -> None:
    # A child of ours, for our own parent may be another user's, whose executable is not ours to read.
    program = (
        "from mcp_server.security.authentication.local_peers.peer_reader import PeerReader\n"
        "peer = PeerReader().of_parent()\n"
        "print(peer.identity.uid, peer.identity.pid, peer.process is not None, peer.identity.executable)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, check=True, timeout=60, text=True
    )
    assert done.stdout.split() == [str(os.getuid()), str(os.getpid()), "True", ME]


def test_a_parent_that_ended_before_it_was_held_is_not_believed() -> None:
    numbers = iter([os.getpid(), 1])
    peer = PeerReader(parent=lambda: next(numbers)).of_parent()
    assert (peer.identity.pid, peer.identity.executable, peer.process) == (os.getpid(), None, None)


def test_a_parent_that_cannot_be_held_is_a_label() -> None:
    def fails(pid: int) -> PidFd:
        raise OSError("no such process")

    peer = PeerReader(parent=os.getpid, open_process=fails).of_parent()
    assert (peer.identity.executable, peer.process) == (None, None)


def test_the_option_is_the_kernels(pair: Any) -> None:
    descriptor = struct.unpack("i", pair[0].getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4))[0]
    assert f"\nPid:\t{os.getpid()}\n" in Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    os.close(descriptor)
