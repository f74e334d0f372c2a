"""Fetching keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.network.http_limits import HttpLimits
from mcp_server.resources.network.web_address import WebAddress
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.key_sets.key_set import MAX_KEY_SET_BYTES

if TYPE_CHECKING:
    from mcp_server.resources.network.http_client import HttpClient
    from mcp_server.security.authentication.key_sets.key_address import KeyAddress
    from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource

SECONDS: Final = 1.0
FETCH_LIMITS: Final = HttpLimits(
    max_body_bytes=MAX_KEY_SET_BYTES,
    max_request_bytes=0,
    max_redirects=0,
    total_seconds=5 * SECONDS,
    max_total_seconds=5 * SECONDS,
    max_concurrent=1,
)
"""Five seconds for all of it, and not one redirect: what an issuer has, it has where it says."""


class KeySetFetcher:
    """Fetch the keys of sources that are due, one after the other.

    Through the client of this server's own tools: the name is resolved once, every address is judged, what was judged
    is what is connected to, and the certificate must prove the name. No proxy, no cookie, no redirect.

    Args:
        open_http: Makes a client with these bounds.
    """

    def __init__(self, *, open_http: Callable[[HttpLimits], HttpClient]) -> None:
        self._open_http = open_http

    async def refresh(self, sources: Iterable[RemoteKeySource]) -> None:
        """Fetch the keys of each source that is due; a failure is the source's to remember."""
        for source in sources:
            if source.is_due:
                await self._fetch(source)

    async def _fetch(self, source: RemoteKeySource) -> None:
        source.begin()
        try:
            address = source.address
            url = await self._key_url(source) if address.is_metadata else address.url
            source.take(await self._get(url, address))
        except MCPServerError as error:
            source.fail(error.message)
        except ValueError as error:
            source.fail(str(error))

    async def _get(self, url: str, address: KeyAddress) -> bytes:
        client = self._open_http(FETCH_LIMITS)
        reply = await client.request("GET", url, rules=address, headers={"accept": "application/json"})
        if reply.status != 200:
            raise ValueError(f"the answer has status {reply.status}")
        return reply.body

    async def _key_url(self, source: RemoteKeySource) -> str:
        """Return where the issuer's metadata say that its keys are.

        Raises:
            ValueError: They are another issuer's, or lead to another host.

        Source: RFC 8414, sections 2 and 3.3.
        """
        metadata = read_object(await self._get(source.address.url, source.address))
        if metadata.get("issuer") != source.issuer:
            raise ValueError("the metadata are another issuer's")
        url = metadata.get("jwks_uri")
        if not isinstance(url, str):
            raise ValueError("the metadata do not say where the keys are")
        if WebAddress.parse(url).origin != WebAddress.parse(source.address.url).origin:
            raise ValueError("the metadata lead to another host; write its address as key_url, if it is the right one")
        return url
