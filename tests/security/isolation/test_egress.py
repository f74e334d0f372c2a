"""A run reaches what it was granted, through the proxy outside, and nothing else (C01, C07)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.relay import PORT
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.egress_limits import EgressLimits
from mcp_server.resources.network.egress_proxy import EgressProxy
from tests.security.isolation.attack_code import CALLS
from tests.security.isolation.sandbox_rig import SandboxRig, in_loop, request, rig_with
from tests.support.loopback_server import Answer, LoopbackServer, ok, redirect
from tests.support.web_rig import LOOPBACK, WebRig

GRANTED = "api.example:PORT"

ASKING = (
    CALLS
    + f"""
import socket, urllib.error, urllib.request

def get(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]

def open_relay():
    return socket.create_connection(("127.0.0.1", {PORT}), 20)

def ask(data):
    "Send bytes to the proxy as they are, and return the socket and the status of the answer."
    plug = open_relay()
    plug.sendall(data)
    answer = b""
    while b"\\r\\n" not in answer:
        answer += plug.recv(4096)
    return plug, int(answer.split(b" ")[1])

def tunnel(target):
    return ask(b"CONNECT " + target.encode("latin-1") + b" HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
"""
)


@dataclass(frozen=True)
class Seen:
    """What became of a run, and what was seen of it outside."""

    result: ExecutionResult
    told: list[tuple[str, int]]
    resolved: list[str]
    heads: list[str]

    @property
    def found(self) -> Any:
        """What the run printed as JSON."""
        assert self.result.is_success, (self.result.reason, self.result.exit_code, self.result.stderr.text())
        return json.loads(self.result.stdout.text())


class Outside:
    """A server on loopback, names that lead to it, and the proxy between it and the runs of a rig.

    Args:
        rig: Makes the sandboxes.
        answer: What the server says.
        granted: Networks that may be connected to.
        limits: Bounds of the proxy.
        names: What DNS says.
    """

    def __init__(
        self,
        rig: SandboxRig,
        *,
        answer: bytes | Answer = b"",
        granted: Sequence[str] = LOOPBACK,
        limits: EgressLimits | None = None,
        names: dict[str, list[Any]] | None = None,
    ) -> None:
        self.rig = rig
        self.server = LoopbackServer(answer or ok(b"hello"))
        self.web = WebRig({"api.example": ["127.0.0.1"], "evil.example": ["127.0.0.1"]} if names is None else names)
        self.told: list[tuple[str, int]] = []
        self._granted = granted
        self._limits = limits

    def open_proxy(self, allowed: tuple[str, ...]) -> EgressProxy:
        return EgressProxy(
            allowed=allowed,
            connector=self.web.connector,
            rules=AddressRules(granted=self._granted),
            limits=self._limits,
            report=lambda asked, status: self.told.append((self.hidden(asked), status)),
        )

    def hidden(self, text: str) -> str:
        return text.replace(str(self.server.port), "PORT")

    def request(self, code: str, allowed: Sequence[str], **options: Any) -> ExecutionRequest:
        """Return a request in which `PORT` is the server's."""
        port = str(self.server.port)
        network = tuple(each.replace("PORT", port) for each in allowed)
        return request(
            code=(ASKING + code).replace("PORT", port), network=network, open_proxy=self.open_proxy, **options
        )

    async def run(self, code: str, allowed: Sequence[str], **options: Any) -> Seen:
        result = await self.rig.run_alone(self.request(code, allowed, **options))
        return Seen(result, self.told, self.web.resolved, [self.hidden(head) for head in self.server.heads])


def seen(rig: SandboxRig, code: str, *, allowed: Sequence[str] = (GRANTED,), **settings: Any) -> Seen:
    """Run a program against a server, and return what became of both."""
    outside = {name: settings.pop(name) for name in ("answer", "granted", "limits", "names") if name in settings}

    async def work() -> Seen:
        around = Outside(rig, **outside)
        async with around.server:
            return await around.run(code, allowed, **settings)

    return in_loop(work())


# What is granted.


def test_what_is_granted_is_reached_by_its_name_through_the_proxy(rig: SandboxRig) -> None:
    for may_execute in (False, True):
        outcome = seen(rig, "print(json.dumps(get('http://api.example:PORT/a?b')))", may_execute=may_execute)
        assert outcome.found == [200, "hello"]
        assert (outcome.told, outcome.resolved) == ([(GRANTED, 200)], ["api.example"])
        assert outcome.heads[0].startswith("GET /a?b HTTP/1.1\r\nhost: api.example:PORT\r\n")


def test_a_tunnel_carries_bytes_and_an_address_is_granted_as_itself(rig: SandboxRig) -> None:
    code = (
        "plug, status = tunnel('127.0.0.1:PORT')\n"
        "plug.sendall(b'GET /inside HTTP/1.1\\r\\n\\r\\n')\n"
        "answer = b''.join(iter(lambda: plug.recv(4096), b''))\n"
        "print(json.dumps([status, answer[-5:].decode()]))"
    )
    outcome = seen(rig, code, allowed=["127.0.0.1:PORT"])
    assert outcome.found == [200, "hello"]
    assert outcome.heads == ["GET /inside HTTP/1.1"]
    # The rule is about that address: without it, it is not public.
    assert seen(rig, "print(tunnel('127.0.0.1:PORT')[1])", allowed=["127.0.0.1:PORT"], granted=()).found == 403


def test_a_program_that_starts_others_has_it_as_well(rig: SandboxRig) -> None:
    code = (
        "import subprocess\n"
        "inner = 'import urllib.request as u; print(u.urlopen(\"http://api.example:PORT/\").read().decode())'\n"
        "print(json.dumps(subprocess.run([sys.executable, '-c', inner], capture_output=True, text=True).stdout))"
    )
    assert seen(rig, code, may_execute=True, processes=128).found == "hello\n"


def test_authorities_are_there_for_those_who_may_reach_something(rig: SandboxRig) -> None:
    code = "import os, json; print(json.dumps([os.environ.get('SSL_CERT_FILE'), os.path.exists('/etc/ssl')]))"
    path, exists = seen(rig, code).found
    assert (path, exists) == ("/etc/ssl/certs/ca-certificates.crt", True)
    nothing: Any = rig.reached(code)
    assert nothing == [None, False]


# What is not.

ELSEWHERE = [
    "evil.example:PORT", "api.example:1", "api.example:443", "API.example:PORT", "api.example.:PORT",
    "sub.api.example:PORT", "127.0.0.1:PORT", "[::1]:PORT", "[::ffff:127.0.0.1]:PORT", "localhost:PORT",
    "2130706433:PORT", "0x7f.1:PORT", "169.254.169.254:80", "api.example:0PORT", "data.that.leaks.evil.example:53",
]  # fmt: skip


def test_c07_nothing_else_is_and_dns_does_not_hear_of_it(rig: SandboxRig) -> None:
    code = f"print(json.dumps({{each: tunnel(each)[1] for each in {ELSEWHERE!r}}}))"
    outcome = seen(rig, code)
    assert set(outcome.found) != set()
    assert set(outcome.found.values()) <= {400, 403}
    assert (outcome.resolved, outcome.heads) == ([], [])
    # They are refused by the list: with them in it, the same requests get through.
    allowed = ["evil.example:PORT", "127.0.0.1:PORT"]
    granted = "print(json.dumps([tunnel(each)[1] for each in ('evil.example:PORT', '127.0.0.1:PORT')]))"
    assert seen(rig, granted, allowed=allowed).found == [200, 200]


@pytest.mark.parametrize(
    "target", ["api.example\\0:PORT", "api.example:PORT\\0.evil.example:PORT", "api.example:PORT@evil.example:PORT"]
)
def test_c07_odd_bytes_in_the_host_are_a_bad_request(rig: SandboxRig, target: str) -> None:
    code = (
        f"found = [tunnel('{target}')[1], ask(b'GET http://{target}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')[1]]\n"
        "print(json.dumps(found))"
    )
    outcome = seen(rig, code)
    assert outcome.found == [400, 400]
    assert (outcome.resolved, outcome.heads) == ([], [])


def test_c07_a_granted_name_that_leads_inside_is_refused(rig: SandboxRig) -> None:
    code = "print(json.dumps(get('http://api.example:PORT/')))"
    for answers in (["127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["93.184.215.14", "127.0.0.1"]):
        outcome = seen(rig, code, granted=(), names={"api.example": answers})
        status, text = outcome.found
        assert (status, outcome.heads) == (403, [])
        assert "127.0" not in text
    assert seen(rig, code, granted=LOOPBACK).found == [200, "hello"]


def test_c07_a_redirect_leads_nowhere_else(rig: SandboxRig) -> None:
    async def work(allowed: list[str]) -> tuple[Any, list[str]]:
        async with LoopbackServer(ok(b"inner")) as inner:
            around = Outside(rig, answer=redirect(f"http://127.0.0.1:{inner.port}/"))
            async with around.server:
                allowed = [each.replace("INNER", str(inner.port)) for each in allowed]
                outcome = await around.run("print(json.dumps(get('http://api.example:PORT/')))", allowed)
                return outcome.found, inner.heads

    (status, _), heads = in_loop(work([GRANTED]))
    assert (status, heads) == (403, [])
    assert in_loop(work([GRANTED, "127.0.0.1:INNER"]))[0] == [200, "inner"]


# Past the proxy.

DIRECT = """
def connect(host, port, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as plug:
        plug.settimeout(5)
        plug.connect((host, port))

def send(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.sendto(b"data", (host, port))

def bind(port=0):
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", port))

def listen():
    # Without a name of its own it is given one, past whoever guards the giving.
    with socket.socket() as plug:
        plug.listen()

def fast(port):
    with socket.socket() as plug:
        plug.sendto(b"data", 0x20000000, ("127.0.0.1", port))

def speak():
    plug = open_relay()
    plug.setsockopt(socket.IPPROTO_TCP, 31, b"tls")

def of_family(family, kind=socket.SOCK_STREAM, protocol=0):
    socket.socket(family, kind, protocol).close()

print(json.dumps({
    "relay": attempt(connect, "127.0.0.1", RELAY),
    "host": attempt(connect, "127.0.0.1", PORT),
    "another port": attempt(connect, "127.0.0.2", 9),
    "metadata": attempt(connect, "169.254.169.254", 80),
    "fast": attempt(fast, 9),
    "inet6": attempt(of_family, socket.AF_INET6),
    "datagrams": attempt(send, "127.0.0.1", 53),
    "connected datagrams": attempt(connect, "127.0.0.1", 53, socket.AF_INET, socket.SOCK_DGRAM),
    "raw": attempt(of_family, socket.AF_INET, socket.SOCK_RAW, 1),
    "mptcp": attempt(of_family, socket.AF_INET, socket.SOCK_STREAM, 262),
    "unix": attempt(of_family, socket.AF_UNIX),
    "netlink": attempt(of_family, socket.AF_NETLINK, socket.SOCK_RAW),
    "bind": attempt(bind),
    "listen": attempt(listen),
    "another protocol": attempt(speak),
    "pair": attempt(lambda: [each.close() for each in socket.socketpair()]),
}))
""".replace("RELAY", str(PORT))


def test_c01_there_is_no_way_but_the_relay(rig: SandboxRig) -> None:
    abi = Landlock().abi
    for may_execute in (False, True):
        outcome = seen(rig, DIRECT, may_execute=may_execute)
        found = outcome.found
        assert (found.pop("relay"), found.pop("pair")) == ("done", "done")
        refused = {name: found.pop(name) for name in ("host", "another port", "metadata")}
        assert set(refused.values()) == {"EACCES"} if abi >= 4 else "done" not in refused.values()
        assert set(found.values()) == {"EPERM"}
        assert outcome.heads == []


def test_c01_a_network_of_its_own_suffices_as_well() -> None:
    with rig_with(landlock=False, second_filter=False, network_filter=None) as namespaced:
        found = seen(namespaced, DIRECT).found
    # The server of the host is in another network, and there is nobody here but the relay.
    assert (found["relay"], found["host"], found["another port"]) == ("done", "ECONNREFUSED", "ECONNREFUSED")
    assert found["metadata"] == "ENETUNREACH"
    assert {found[name] for name in ("datagrams", "bind", "listen", "unix", "netlink")} == {"done"}
    assert "EPERM" not in {found[name] for name in ("fast", "another protocol", "inet6")}


def test_c01_each_of_the_other_barriers_holds_by_itself() -> None:
    with rig_with(landlock=False, network_filter=None) as filtered:
        found = seen(filtered, DIRECT).found
        names = ("fast", "inet6", "datagrams", "raw", "mptcp", "unix", "netlink", "bind", "listen", "another protocol")
        assert {found[name] for name in names} == {"EPERM"}
    with rig_with(landlock=False, second_filter=False) as based:
        found = seen(based, DIRECT).found
        assert {found[name] for name in ("inet6", "raw", "mptcp", "unix", "netlink")} == {"EPERM"}
    with rig_with(second_filter=False, network_filter=None) as landlocked:
        found = seen(landlocked, DIRECT).found
        abi = Landlock().abi
        expected = "EACCES" if abi >= 4 else "ECONNREFUSED"
        assert (found["relay"], found["host"]) == ("done", expected)
        assert found["bind"] == ("EACCES" if abi >= 4 else "done")
        # What Landlock does not see, and the filter therefore takes away.
        assert found["listen"] == "done"


def test_the_filter_against_programs_stays_on_top(rig: SandboxRig) -> None:
    code = (
        "found = {'exec': attempt(os.execv, '/bin/true', ['true']), 'fork': attempt(os.fork)}\nprint(json.dumps(found))"
    )
    assert set(seen(rig, code).found.values()) == {"EPERM"}


def test_nothing_of_the_relay_is_open_in_what_is_run(rig: SandboxRig) -> None:
    code = (
        "print(json.dumps([sorted(map(int, os.listdir('/proc/self/fd')))[:3], "
        "sum(os.readlink(f'/proc/self/fd/{each}').startswith('socket:') "
        "for each in os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{each}'))]))"
    )
    assert seen(rig, code).found == [[0, 1, 2], 0]


def test_a_run_without_network_has_no_socket_at_all(rig: SandboxRig) -> None:
    code = ASKING + (
        "found = [attempt(lambda: socket.socket().close()), attempt(open_relay)]\n"
        "print(json.dumps([found, [name for name in os.environ if 'proxy' in name.lower()]]))"
    )
    nothing: Any = rig.reached(code)
    assert nothing == [["EPERM", "EPERM"], []]
    found, variables = seen(rig, code.removeprefix(ASKING)).found
    assert found == ["done", "done"]
    assert len(variables) == 8
    # Behind the filter there is no relay either.
    with rig_with(base_filter=None, landlock=False) as namespaced:
        nothing = namespaced.reached(code)
        assert nothing[0] == ["done", "ECONNREFUSED"]


def test_the_environment_of_a_policy_does_not_lead_past_the_proxy(rig: SandboxRig) -> None:
    code = "print(json.dumps([os.environ[each] for each in ('no_proxy', 'HTTP_PROXY')]))"
    outcome = seen(rig, code, environment={"no_proxy": "*", "HTTP_PROXY": "http://evil.example"})
    assert outcome.found == ["", f"http://127.0.0.1:{PORT}"]


# Too much.


@pytest.mark.parametrize("most", [1_000_000, 20_000_000])
def test_an_endless_body_ends(rig: SandboxRig, most: int) -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 65_536)
            await writer.drain()

    code = (
        "plug, status = tunnel('api.example:PORT')\n"
        "plug.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
        "count = 0\n"
        "while part := plug.recv(65536):\n"
        "    count += len(part)\n"
        "print(json.dumps(count))"
    )
    count = seen(rig, code, answer=endless, limits=EgressLimits(max_bytes=most)).found
    assert most - 200_000 < count <= most


def test_many_tunnels_are_too_many(rig: SandboxRig) -> None:
    async def silent(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    code = (
        "plugs = [tunnel('api.example:PORT') for _ in range(40)]\n"
        "found = [status for _, status in plugs]\n"
        # Where one ends there is room for another, once its end was noticed.
        "plugs[0][0].shutdown(socket.SHUT_RDWR)\n"
        "plugs[0][0].close()\n"
        "print(json.dumps(found))"
    )
    assert seen(rig, code, answer=silent, limits=EgressLimits(max_tunnels=4)).found == [200] * 4 + [503] * 36
    assert seen(rig, code, answer=silent, limits=EgressLimits(max_tunnels=64)).found == [200] * 40


def test_silent_connections_do_not_hold_up_the_end_of_a_run(rig: SandboxRig) -> None:
    # More than are served, and more than wait: the rest cannot even connect.
    code = (
        "plugs = []\n"
        "for _ in range(200):\n"
        "    plug = socket.socket()\n"
        "    plug.setblocking(False)\n"
        "    plug.connect_ex(('127.0.0.1', RELAY))\n"
        "    plugs.append(plug)\n"
        "print(json.dumps(len(plugs)))"
    ).replace("RELAY", str(PORT))
    outcome = seen(rig, code, limits=EgressLimits(max_tunnels=1000, header_seconds=1000), open_files=256)
    assert outcome.found == 200
    assert outcome.result.wall_seconds < 10


# The end.


class _WatchedServer(LoopbackServer):
    """Tells when a connection was opened, and when its other end was closed; closes its own when it is told to."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.released = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"there")
        self.opened.set()
        with contextlib.suppress(OSError):
            await reader.read()
        self.closed.set()
        await self.released.wait()
        writer.close()


@pytest.mark.parametrize("how", ["exit", "timeout", "cancelled", "daemon"])
def test_no_tunnel_outlives_its_run(rig: SandboxRig, how: str) -> None:
    async def work() -> str:
        server = _WatchedServer()
        around = Outside(rig)
        around.server = server
        code = (
            "plug, _ = tunnel('api.example:PORT')\n"
            "plug.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
            "plug.recv(9)\n"
            "import signal\n"
        )
        # The process that has the tunnel stays; its parent goes.
        last = "os.fork() or signal.pause()\n" if how == "daemon" else "signal.pause()\n" if how != "exit" else ""
        options: dict[str, Any] = {"may_execute": how == "daemon", "wall_seconds": 1 if how == "timeout" else 30}
        async with around.server:
            run = asyncio.create_task(rig.run(around.request(code + last, [GRANTED], **options)))
            await server.opened.wait()
            assert not server.closed.is_set() or how in ("exit", "daemon")
            if how == "cancelled":
                run.cancel()
            await asyncio.wait([run])
            # Nothing serves it any more when the run has been told of, and whoever was at the other end hears of it.
            assert not [task for task in asyncio.all_tasks() if task.get_name() == "mcp-server-connection"]
            await server.closed.wait()
            server.released.set()
            await rig.execution.close()
            return "cancelled" if run.cancelled() else str(run.result().reason)

    assert in_loop(work()) == {"daemon": "exit"}.get(how, how)


def test_two_runs_have_networks_of_their_own(rig: SandboxRig) -> None:
    async def work() -> list[Any]:
        one, other = Outside(rig, answer=ok(b"one")), Outside(rig, answer=ok(b"other"))
        async with one.server, other.server:
            code = "print(json.dumps([get('http://api.example:PORT/')[1], tunnel('api.example:OTHER')[1]]))"
            runs = [
                around.request(code.replace("OTHER", str(second.server.port)), [GRANTED])
                for around, second in ((one, other), (other, one))
            ]
            results = await asyncio.gather(*map(rig.run, runs))
            await rig.execution.close()
            return [json.loads(each.stdout.text()) for each in results]

    assert in_loop(work()) == [["one", 403], ["other", 403]]


def test_nothing_is_left_of_many_runs(rig: SandboxRig) -> None:
    async def work() -> list[int]:
        around = Outside(rig)
        async with around.server:
            left = []
            for _ in range(6):
                code = "tunnel('api.example:PORT'), tunnel('evil.example:1'), get('http://x.example/')"
                assert (await around.run(code, [GRANTED])).result.is_success
                left.append(len(os.listdir("/proc/self/fd")))
            return left

    left = in_loop(work())
    assert left[-1] <= left[0]
