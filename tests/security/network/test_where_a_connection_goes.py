"""Attacks on the address: what is connected to is what was judged, whatever name led there."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from tests.support.loopback_server import LoopbackServer, ok
from tests.support.web_rig import EVERYTHING, LOOPBACK, WebRig

SECRET = ok(b"the secret of loopback")
PUBLIC = "93.184.215.14"

# Each with the number that it becomes when a resolver of C reads it.
ODD_LITERALS = {
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "127.1": "127.0.0.1",
    "127.0.1": "127.0.0.1",
    "0": "0.0.0.0",
    "0251.0376.0251.0376": "169.254.169.254",
    "2852039166": "169.254.169.254",
}
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]",
    "[::127.0.0.1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[64:ff9b::10.0.0.1]", "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::1]", "[2001:0:a00:1::ffff:ffff]", "[2001::7f00:1:80ff:fffe]", "[fe80::1]", "[fd00:ec2::254]",
    "[fd20:ce::254]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[2a00::5efe:10.0.0.1]", "[100::1]",
)  # fmt: skip


def test_a_name_that_is_rebound_after_the_check_is_not_followed() -> None:
    async def attack() -> tuple[list[str], list[str], list[bytes], bytes]:
        opened: list[str] = []

        async def open_socket(address: IPAddress, port: int) -> socket.socket:
            opened.append(str(address))
            raise ConnectionRefusedError

        async with LoopbackServer(SECRET) as server:
            url = f"http://rebind.example:{server.port}/"
            rig = WebRig({"rebind.example": [[PUBLIC], ["127.0.0.1"]]}, open_socket=open_socket)
            with pytest.raises(ResourceUnavailableError, match="nobody answers"):
                await rig.get(url)
            untouched = list(server.requests)
            # What a client does that is checked and then handed the name: it asks again.
            naive = WebRig({"rebind.example": [[PUBLIC], ["127.0.0.1"]]})
            endpoint = Endpoint.parse(f"rebind.example:{server.port}")
            for address in await naive.resolve(endpoint):
                naive.admit(endpoint, address)
            second = (await naive.resolve(endpoint))[0]
            reader, writer = await asyncio.open_connection(str(second), server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: rebind.example\r\n\r\n")
            stolen = await reader.read()
            writer.close()
            return rig.resolved, opened, untouched, stolen

    resolved, opened, untouched, stolen = asyncio.run(attack())
    assert (resolved, opened, untouched) == (["rebind.example"], [PUBLIC], [])
    assert stolen.endswith(b"the secret of loopback")


@pytest.mark.parametrize("answers", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["::ffff:127.0.0.1"]])
def test_a_name_that_leads_to_loopback_is_refused_even_behind_a_public_address(answers: list[str]) -> None:
    async def attack(granted: tuple[str, ...]) -> bytes:
        async with LoopbackServer(SECRET) as server:
            rig = WebRig({"evil.example": [answers]}, granted=granted, open_socket=only_loopback)
            try:
                return (await rig.get(f"http://evil.example:{server.port}/")).body
            except PermissionDeniedError as error:
                if server.requests or any(answer in str(error) for answer in answers):
                    raise
                return b""

    assert asyncio.run(attack(())) == b""
    assert asyncio.run(attack(EVERYTHING)) == b"the secret of loopback"


async def only_loopback(address: IPAddress, port: int) -> socket.socket:
    """Connect to IPv4 loopback; whatever else was judged good is not there in a test."""
    faces = AddressRules.faces(address)
    if str(faces[-1]) != "127.0.0.1":
        raise ConnectionRefusedError
    connecting = socket.socket()
    connecting.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connecting, ("127.0.0.1", port))
    if address.version == 4:
        return connecting
    return Mapped(connecting)


class Mapped(socket.socket):
    """A connection that names its peer in IPv6, as one of both kinds of address does."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())

    def getpeername(self) -> tuple[str, int]:
        return f"::ffff:{super().getpeername()[0]}", 0


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused_however_it_is_written(host: str) -> None:
    # What is granted is a name: that never reaches an address.
    rig = WebRig()
    with pytest.raises(PermissionDeniedError, match="not public"):
        asyncio.run(rig.get(f"http://{host}:9/"))
    endpoint = Endpoint.parse(f"{host}:9")
    assert endpoint.address is not None
    # Without the barrier it would be connected to.
    AddressRules(granted=EVERYTHING).admit(endpoint, endpoint.address)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2002:808:808::"]
)
def test_a_public_address_is_no_private_one(host: str) -> None:
    AddressRules().admit(Endpoint("name.example", 443), ip_address(host))
    assert AddressRules.is_public(ip_address(host))


@pytest.mark.parametrize(("literal", "address"), ODD_LITERALS.items())
def test_numbers_that_resolvers_take_for_addresses_are_refused(literal: str, address: str) -> None:
    rig = WebRig(granted=EVERYTHING)
    with pytest.raises(SandboxViolationError, match="number that is no address"):
        asyncio.run(rig.get(f"http://{literal}:9/"))
    assert (rig.asked, rig.resolved) == ([], [])
    # The danger is real: the resolver of this machine reads it as that address.
    assert socket.getaddrinfo(literal, 9, type=socket.SOCK_STREAM)[0][4][0] == address


@pytest.mark.parametrize("written", ["127.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
def test_loopback_has_one_name_whatever_is_written(written: str) -> None:
    async def attack() -> tuple[list[str], int, bytes]:
        async with LoopbackServer(SECRET) as server:
            rig = WebRig(granted=LOOPBACK)
            reply = await rig.get(f"http://{written}:{server.port}/")
            return rig.asked, server.port, reply.body

    asked, port, body = asyncio.run(attack())
    assert asked == [f"127.0.0.1:{port}"]
    assert body == b"the secret of loopback"


@pytest.mark.parametrize(
    "host", ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\u2460.example", "fa\u00df.de"]
)
def test_letters_that_turn_into_others_are_refused(host: str) -> None:
    rig = WebRig(granted=EVERYTHING)
    with pytest.raises(SandboxViolationError, match="no single spelling"):
        asyncio.run(rig.get(f"http://{host}:9/"))
    # The danger is real: the codec makes another name of it.
    assert host.encode("idna").decode("ascii") != host


def test_a_connection_that_ends_elsewhere_is_closed_before_a_byte_is_sent() -> None:
    async def attack(address: str) -> tuple[bytes, int]:
        async with LoopbackServer(SECRET) as server:

            async def open_socket(judged: IPAddress, port: int) -> socket.socket:
                connecting = socket.socket()
                connecting.setblocking(False)
                await asyncio.get_running_loop().sock_connect(connecting, ("127.0.0.1", server.port))
                return connecting

            rig = WebRig({"a.example": [address]}, granted=LOOPBACK, open_socket=open_socket)
            try:
                return (await rig.get("http://a.example/")).body, len(server.requests)
            except PermissionDeniedError as error:
                if "ended somewhere else" not in str(error):
                    raise
                return b"", len(server.requests)

    assert asyncio.run(attack(PUBLIC)) == (b"", 0)
    assert asyncio.run(attack("127.0.0.1")) == (b"the secret of loopback", 1)


def test_a_name_that_is_not_permitted_is_not_even_resolved() -> None:
    async def ask(permitted: set[str]) -> list[str]:
        rig = WebRig({"stolen-data.evil.example": ["10.0.0.1"]}, permitted=permitted)
        with pytest.raises(PermissionDeniedError):
            await rig.get("https://stolen-data.evil.example/")
        return rig.resolved

    assert asyncio.run(ask(set())) == []
    assert asyncio.run(ask({"stolen-data.evil.example:443"})) == ["stolen-data.evil.example"]
