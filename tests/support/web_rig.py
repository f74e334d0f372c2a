"""A client over HTTP whose names a test makes up, and the rules that it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from mcp_server.resources.network.http_client import HttpClient
from mcp_server.resources.network.http_limits import HttpLimits
from mcp_server.resources.network.http_reply import HttpReply
from mcp_server.resources.network.pinned_connector import PinnedConnector
from mcp_server.resources.network.tls_trust import TLSTrust

LOOPBACK = ("127.0.0.0/8",)
EVERYTHING = ("0.0.0.0/0", "::/0")


class WebRig:
    """Names, addresses and permissions; what was asked for is kept.

    Args:
        names: The addresses of each name; a list of lists answers each question differently, the last one forever.
        granted: Networks that may be connected to.
        permitted: Hosts and ports that may be connected to, None for all.
        limits: Bounds of requests.
        authorities: Whom TLS believes.
        connector: Settings of the connector.
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[Any]] | None = None,
        *,
        granted: Iterable[str] = (),
        permitted: Iterable[str] | None = None,
        limits: HttpLimits | None = None,
        authorities: Sequence[str] = (),
        **connector: Any,
    ) -> None:
        self._names = {name: list(answers) for name, answers in (names or {}).items()}
        self._addresses = AddressRules(granted=granted)
        self._permitted = None if permitted is None else set(permitted)
        self.resolved: list[str] = []
        self.asked: list[str] = []
        self.connector = PinnedConnector(resolve=self.resolve, **connector)
        self.client = HttpClient(
            connector=self.connector, trust=TLSTrust(authorities=authorities), limits=limits, run_blocking=at_once
        )

    async def resolve(self, endpoint: Endpoint) -> list[IPAddress]:
        if endpoint.address is not None:
            return [endpoint.address]
        self.resolved.append(endpoint.host)
        answers = self._names[endpoint.host]
        if answers and not isinstance(answers[0], str):
            answers = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(each) for each in answers]

    async def permit(self, endpoint: Endpoint) -> None:
        self.asked.append(str(endpoint))
        if self._permitted is not None and str(endpoint) not in self._permitted:
            raise PermissionDeniedError("not granted", missing=[("NETWORK_CONNECT", str(endpoint))])

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        self._addresses.admit(endpoint, address)

    async def get(self, url: str, **settings: Any) -> HttpReply:
        return await self.client.request("GET", url, rules=self, **settings)

    async def request(self, method: str, url: str, **settings: Any) -> HttpReply:
        return await self.client.request(method, url, rules=self, **settings)


async def at_once(function: Any, *arguments: Any) -> Any:
    """Stand for a thread."""
    return function(*arguments)
