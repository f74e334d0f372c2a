"""What a sandbox asks its proxy for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from mcp_server.resources.network.egress_refused_error import EgressRefusedError
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.web_address import PORTS, WebAddress

METHODS: Final = frozenset((b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT"))
_ABSOLUTE: Final = re.compile(rb"http://([^/?#]*)", re.DOTALL)
_HOP_BY_HOP: Final = frozenset(
    b"connection host keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade expect".split()
)


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """A request line, read: a tunnel to a host, or a plain request for something there.

    Args:
        endpoint: Where to.
        asked: Host and port byte for byte as the sandbox wrote them, for the comparison with what it may reach.
        target: What a plain request is for there; empty for a tunnel.

    >>> EgressRequest.read(b"CONNECT", b"api.example.org:443").asked
    b'api.example.org:443'
    >>> EgressRequest.read(b"GET", b"http://api.example.org/a?b").target
    '/a?b'
    """

    endpoint: Endpoint
    asked: bytes
    target: str = ""

    @classmethod
    def read(cls, method: bytes, target: bytes) -> Self:
        """Return what is asked for.

        Args:
            method: The method.
            target: The target, as the request line had it.

        Raises:
            EgressRefusedError: 400 for what is neither, or holds odd bytes; 405 for other methods.
        """
        try:
            text = target.decode("ascii")
            if method == b"CONNECT":
                return cls(Endpoint.parse(text), target)
            if method not in METHODS:
                raise EgressRefusedError(405, "this method is not passed on")
            authority = _ABSOLUTE.match(target)
            if authority is None:
                raise EgressRefusedError(400, "write the whole address, beginning with 'http://', or use CONNECT")
            address = WebAddress.parse(text)
        except ValueError as error:
            raise EgressRefusedError(400, f"the address cannot be read: {error}") from error
        asked = authority[1]
        if not re.search(rb":[0-9]+\Z", asked):
            asked += b":%d" % PORTS["http"]
        return cls(address.endpoint, asked, address.target)

    @property
    def is_tunnel(self) -> bool:
        """Whether bytes are passed on unread."""
        return not self.target


def forwarded(headers: list[tuple[bytes, bytes]], own: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers that a proxy passes on, with its own: none that is about one connection only.

    Args:
        headers: As they came, names in lower case.
        own: What the proxy writes itself.

    Source: RFC 9110, 7.6.1.

    >>> forwarded([(b"connection", b"x-secret"), (b"x-secret", b"1"), (b"accept", b"*/*")], [(b"host", b"a")])
    [(b'host', b'a'), (b'accept', b'*/*')]
    """
    named = {each.strip().lower() for name, value in headers if name == b"connection" for each in value.split(b",")}
    return [*own, *((name, value) for name, value in headers if name not in _HOP_BY_HOP | named)]
