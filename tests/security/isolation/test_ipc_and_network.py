"""No socket leads out, whoever listens, and no two sandboxes share anything."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.kernel.landlock import Landlock
from tests.security.isolation.attack_code import CALLS
from tests.security.isolation.sandbox_rig import SandboxRig, in_loop, opened, request, rig_with

REACHING = (
    CALLS
    + """
import socket
def tcp(host, port):
    with socket.create_connection((host, port), 1) as plug:
        assert plug.recv(5) == b"hello"

def udp(host, port):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.settimeout(1)
        plug.sendto(b"ping", (host, port))
        assert plug.recv(5) == b"hello"

def unix(path):
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(1)
        plug.connect(path)
        assert plug.recv(5) == b"hello"

def of_family(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()
"""
)


@dataclass(frozen=True)
class Listeners:
    """Who says hello to whoever gets through."""

    tcp: int
    udp: int
    directory: Path
    path: str
    abstract: str


@pytest.fixture
def listeners(folder: Path) -> Iterator[Listeners]:
    directory = folder / "host"
    directory.mkdir()
    directory.chmod(0o777)
    abstract = f"mcp-server-test-{secrets.token_hex(8)}"
    plugs: list[socket.socket] = []
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", 0)),
        (socket.AF_UNIX, str(directory / "socket")),
        (socket.AF_UNIX, f"\0{abstract}"),
    ):
        plug = socket.socket(family)
        plug.bind(address)
        plug.listen(10)
        plugs.append(plug)
    os.chmod(directory / "socket", 0o777)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))

    def greet(plug: socket.socket) -> None:
        try:
            while True:
                with plug.accept()[0] as connection:
                    connection.sendall(b"hello")
        except OSError:
            return

    def answer() -> None:
        try:
            while (received := datagrams.recvfrom(10))[0] != b"stop":
                datagrams.sendto(b"hello", received[1])
        except OSError:
            return

    threads = [threading.Thread(target=greet, args=(plug,)) for plug in plugs] + [threading.Thread(target=answer)]
    for thread in threads:
        thread.start()
    yield Listeners(
        tcp=plugs[0].getsockname()[1],
        udp=datagrams.getsockname()[1],
        directory=directory,
        path=str(directory / "socket"),
        abstract=abstract,
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
        stopper.sendto(b"stop", datagrams.getsockname())
    for plug in plugs:
        # Wakes who waits in it.
        plug.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
    for plug in (*plugs, datagrams):
        plug.close()


def internet(listeners: Listeners) -> str:
    return (
        REACHING
        + f"""
found = {{
    "tcp": attempt(tcp, "127.0.0.1", {listeners.tcp}),
    "udp": attempt(udp, "127.0.0.1", {listeners.udp}),
    "mapped": attempt(tcp, "::ffff:127.0.0.1", {listeners.tcp}),
    "metadata": attempt(tcp, "169.254.169.254", 80),
    "icmp": attempt(of_family, socket.AF_INET, socket.SOCK_DGRAM, 1),
    "raw": attempt(of_family, socket.AF_INET, socket.SOCK_RAW, 1),
    "listening": attempt(lambda: socket.create_server(("127.0.0.1", 0)).close()),
    "pair": attempt(lambda: [each.close() for each in socket.socketpair()]),
}}
print(json.dumps(found))
"""
    )


def test_c01_nothing_of_the_network_can_be_reached(rig: SandboxRig, listeners: Listeners) -> None:
    for may_execute in (False, True):
        found = rig.reached(internet(listeners), may_execute=may_execute)
        # Both ends of a pair are its own.
        assert found.pop("pair") == "done"
        assert set(found.values()) == {"EPERM"}


def test_c01_a_network_of_its_own_suffices_as_well(listeners: Listeners) -> None:
    with rig_with(base_filter=None, landlock=False) as namespaced:
        found = namespaced.reached(internet(listeners))
        assert (found["tcp"], found["metadata"]) == ("ECONNREFUSED", "ENETUNREACH")
        assert found["udp"] != "done"
        # In there it may listen: there is nobody who could come.
        assert found["listening"] == "done"
    with rig_with(base_filter=None, landlock=False, shared=("net",)) as bare:
        found = bare.reached(internet(listeners))
        assert (found["tcp"], found["udp"], found["mapped"]) == ("done", "done", "done")


def test_c01_landlock_guards_tcp_even_in_the_network_of_the_host(listeners: Listeners) -> None:
    with rig_with(base_filter=None, shared=("net",)) as landlocked:
        found = landlocked.reached(internet(listeners))
        abi = Landlock().abi
        assert found["tcp"] == ("EACCES" if abi >= 4 else "done")
        assert found["udp"] == ("EACCES" if abi >= 10 else "done")
    with rig_with(landlock=False, shared=("net",)) as filtered:
        found = filtered.reached(internet(listeners))
        assert {found[name] for name in ("tcp", "udp", "icmp", "raw")} == {"EPERM"}


SESSION = (
    REACHING
    + """
names = ("/run", "/var", "/sys", "/home", "/root", "/mnt", "/run/user", "/run/systemd", "/var/run/docker.sock",
         "/run/podman/podman.sock", "/tmp/.X11-unix", "/run/dbus/system_bus_socket")
variables = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY",
             "DOCKER_HOST", "PULSE_SERVER", "GPG_AGENT_INFO", "NOTIFY_SOCKET")
print(json.dumps({"paths": [name for name in names if os.path.lexists(name)],
                  "variables": [name for name in variables if name in os.environ],
                  "bus": attempt(unix, "/run/socket")}))
"""
)


def test_c02_and_c03_no_bus_and_no_agent_is_there(
    rig: SandboxRig, listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "DISPLAY", "DOCKER_HOST"):
        monkeypatch.setenv(name, f"unix:path={listeners.path}")
    nothing = {"paths": [], "variables": [], "bus": "EPERM"}
    assert rig.reached(SESSION) == nothing
    assert rig.reached(SESSION, may_execute=True) == nothing
    with rig_with(landlock=False, base_filter=None) as namespaced:
        assert namespaced.reached(SESSION) == {"paths": [], "variables": [], "bus": "ENOENT"}
    run = ("--ro-bind", str(listeners.directory), "/run")
    with rig_with(extra=run) as visible:
        # Were it there, it could be seen, and not spoken to.
        assert visible.reached(SESSION) == {"paths": ["/run"], "variables": [], "bus": "EPERM"}
    with rig_with(landlock=False, base_filter=None, extra=run) as bare:
        assert bare.reached(SESSION)["bus"] == "done"


def test_c02_no_unit_of_the_session_can_be_started(rig: SandboxRig) -> None:
    code = "command -v systemd-run >/dev/null || exit 127; systemd-run --user --wait /bin/true"
    shown = rig.run_program("/bin/sh", "-c", code)
    assert shown.exit_code not in (0, None)


def test_c04_no_abstract_socket_of_the_host_is_there(rig: SandboxRig, listeners: Listeners) -> None:
    code = REACHING + f"print(json.dumps(attempt(unix, '\\0{listeners.abstract}')))"
    assert rig.reached(code) == "EPERM"
    with rig_with(landlock=False, base_filter=None) as namespaced:
        assert namespaced.reached(code) == "ECONNREFUSED"
    with rig_with(base_filter=None, shared=("net",)) as landlocked:
        scoped = Landlock().abi >= 6
        assert landlocked.reached(code) == ("EPERM" if scoped else "done")
    with rig_with(landlock=False, base_filter=None, shared=("net",)) as bare:
        assert bare.reached(code) == "done"


def test_c05_a_socket_in_the_workspace_is_not_connected_to(rig: SandboxRig, folder: Path, listeners: Listeners) -> None:
    code = REACHING + "print(json.dumps(attempt(unix, '/workspace/host/socket')))"
    with opened(folder) as workspace:
        options: dict[str, Any] = {"workspace": workspace, "may_write": True}
        assert rig.reached(code, **options) == "EPERM"
        assert rig.reached(code, may_execute=True, **options) == "EPERM"
        with rig_with(landlock=False) as filtered:
            assert filtered.reached(code, **options) == "EPERM"
        with rig_with(landlock=False, base_filter=None) as bare:
            # Neither a network nor a mount of its own keeps a path from leading to whoever listens there.
            assert bare.reached(code, **options) == "done"


def test_c05_no_socket_is_left_in_the_workspace_for_others(rig: SandboxRig, folder: Path) -> None:
    code = REACHING + (
        "print(json.dumps([attempt(lambda: socket.socket(socket.AF_UNIX).bind('/workspace/trap')),"
        " attempt(os.mkfifo, '/workspace/pipe'), attempt(os.mknod, '/workspace/node', 0o140600)]))"
    )
    with opened(folder) as workspace:
        found = rig.reached(code, workspace=workspace, may_write=True)
        assert set(found) <= {"EPERM", "EACCES"}
        assert list(folder.iterdir()) == []
        with rig_with(landlock=False, base_filter=None) as bare:
            bare.reached(code, workspace=workspace, may_write=True)
        assert {each.name for each in folder.iterdir()} >= {"pipe", "node"}


FAMILIES = (
    REACHING
    + """
families = {"vsock": (40, 1), "alg": (38, 5), "netlink": (16, 3), "packet": (17, 3), "bluetooth": (31, 3),
            "can": (29, 3), "xdp": (44, 3), "unix": (1, 1), "inet": (2, 1), "inet6": (10, 1)}
print(json.dumps({name: attempt(of_family, *each) for name, each in families.items()}))
"""
)


def test_c06_no_family_of_addresses_is_there(rig: SandboxRig) -> None:
    for may_execute in (False, True):
        assert set(rig.reached(FAMILIES, may_execute=may_execute).values()) == {"EPERM"}
    with rig_with(base_filter=None) as bare:
        found = bare.reached(FAMILIES)
        assert {found[name] for name in ("netlink", "unix", "inet")} == {"done"}


SHARING = (
    CALLS
    + """
key, what = int(sys.argv[1]), sys.argv[2]
def shared(flags):
    number = library.syscall(ctypes.c_long(numbers["shmget"]), key, 4096, flags)
    if number < 0:
        raise OSError(ctypes.get_errno(), "")
    return number

def queue(flags):
    # Only a descriptor of its own mount; with it the name is gone.
    if library.syscall(ctypes.c_long(numbers["mq_open"]), b"test%d" % key, flags, 0o666, None) < 0:
        raise OSError(ctypes.get_errno(), "")

def file(mode):
    with open(f"/dev/shm/test{key}", mode):
        pass

if what == "offer":
    found = {"shm": attempt(shared, 0o1666), "queue": attempt(queue, 0o100 | 2), "file": attempt(file, "x"),
             "tmp": attempt(lambda: open(f"/tmp/test{key}", "x").close())}
    print(json.dumps(found), flush=True)
    import signal
    signal.pause()
found = {"shm": attempt(shared, 0), "queue": attempt(queue, 2), "file": attempt(file, "r"),
         "tmp": attempt(os.stat, f"/tmp/test{key}")}
if found["shm"] == "done":
    call("shmctl", shared(0), 0, None)
if found["queue"] == "done":
    call("mq_unlink", b"test%d" % key)
print(json.dumps(found))
"""
)


def offered_and_found(rig: SandboxRig) -> tuple[str, dict[str, str]]:
    """Run one sandbox that offers what can be shared, and meanwhile another that looks for it."""
    key = str(secrets.randbelow(2**30) + 1)

    async def run() -> tuple[str, dict[str, str]]:
        told: list[bytes] = []
        ready = asyncio.Event()

        def on_output(name: str, piece: bytes) -> None:
            told.append(piece)
            ready.set()

        offering = asyncio.ensure_future(rig.run(request(code=SHARING, arguments=(key, "offer"), on_output=on_output)))
        await ready.wait()
        found = await rig.run(request(code=SHARING, arguments=(key, "find")))
        offering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await offering
        return b"".join(told).decode(), json.loads(found.stdout.text())

    return in_loop(run())


def test_c08_two_sandboxes_of_one_client_share_nothing(rig: SandboxRig) -> None:
    offered, found = offered_and_found(rig)
    assert '"shm": "EPERM"' in offered
    assert '"queue": "EPERM"' in offered
    assert found == {"shm": "EPERM", "queue": "EPERM", "file": "ENOENT", "tmp": "ENOENT"}
    with rig_with(base_filter=None, landlock=False) as namespaced:
        offered, found = offered_and_found(namespaced)
        assert offered.count("done") == 4
        assert found == {"shm": "ENOENT", "queue": "ENOENT", "file": "ENOENT", "tmp": "ENOENT"}
    with rig_with(base_filter=None, landlock=False, shared=("ipc",)) as bare:
        offered, found = offered_and_found(bare)
        assert (found["shm"], found["queue"]) == ("done", "done")
