"""A handler's door to the web."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.network.http_reply import HttpReply
from mcp_server.resources.network.web_address import WebAddress
from mcp_server.security.doors.gate_rules import GateRules
from mcp_server.security.network_gate import NetworkGate

if TYPE_CHECKING:
    # Handed in: whoever knows the door need not know of sockets.
    from mcp_server.resources.network.http_client import HttpClient


class HttpDoor:
    """Requests over HTTP, each hop permitted by name and by address before anything is connected to.

    All need NETWORK_CONNECT of the host and port, of each redirect as well. An address that is not public needs a rule
    of its own. The answer is a stranger's text, whoever permitted asking for it.

    Args:
        http: Sends requests.
        gate: Decides on every hop.

    >>> import asyncio
    >>> from mcp_server.resources.resource_config import ResourceConfig
    >>> from mcp_server.resources.resource_tier import ResourceTier
    >>> class Open:
    ...     async def require(self, permission_type, resource, relative=None): print(permission_type, resource)
    ...     def stance(self, permission_type, resource): return None
    >>> door = HttpDoor(http=ResourceTier(config=ResourceConfig()).open_http("ada"), gate=Open())
    >>> asyncio.run(door.get("http://127.0.0.1.:80/"))
    Traceback (most recent call last):
    mcp_server.errors.resource_unavailable_error.ResourceUnavailableError: nobody answers at '127.0.0.1:80'
    """

    __slots__ = ("_http", "_rules")

    def __init__(self, *, http: HttpClient, gate: NetworkGate) -> None:
        self._http = http
        self._rules = GateRules(gate)

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout_seconds: float | None = None
    ) -> HttpReply:
        """Get what is at `url`; see `request`."""
        return await self.request("GET", url, headers=headers, timeout_seconds=timeout_seconds)

    async def post(
        self,
        url: str,
        *,
        body: bytes | str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpReply:
        """Send a body, or a JSON value, to `url`; see `request`."""
        return await self.request("POST", url, body=body, json=json, headers=headers, timeout_seconds=timeout_seconds)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpReply:
        """Send one request and return the whole answer, whatever its status; needs NETWORK_CONNECT of every hop.

        Args:
            method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
            url: An `https` or `http` address, without a user in it.
            body: What is sent; a text goes as UTF-8.
            json: A value that is sent as JSON, instead of a body.
            headers: Further headers; those that frame the message are the client's own.
            timeout_seconds: How long all of it may take, redirects included; 30 seconds unless said, 300 at most.

        Raises:
            PermissionDeniedError: A host is not declared, not granted or nobody agreed, or an address is not public.
            SandboxViolationError: The address, a header or a redirect is none that could be followed.
            LimitExceededError: It took too long, or the answer is too large.
            ResourceUnavailableError: Nobody answers, or not in HTTP, or its certificate does not prove its name.
        """
        further = dict(headers or {})
        if json is not None:
            if body is not None:
                raise SandboxViolationError("name", "send a body or a JSON value, not both")
            body = to_json(json, inf_nan_mode="strings")
            if not any(name.lower() == "content-type" for name in further):
                further["content-type"] = "application/json"
        data = body.encode() if isinstance(body, str) else body
        reply = await self._http.request(
            method, url, rules=self._rules, headers=further, body=data, timeout_seconds=timeout_seconds
        )
        # What came after the call had ended, or after the right was taken away, is not handed out any more.
        await self._rules.permit(WebAddress.parse(reply.url).endpoint)
        return reply
