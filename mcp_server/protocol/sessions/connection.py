"""One client's connection: what is under way on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.protocol.channel import Channel
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.message import RequestId
from mcp_server.protocol.jsonrpc.request_meta import RequestMeta, parse_request_meta
from mcp_server.protocol.jsonrpc.response import Response
from mcp_server.protocol.sessions.session import Session
from mcp_server.protocol.sessions.subscription import Subscription

if TYPE_CHECKING:
    from mcp_server.protocol.sessions.exchange import Exchange

MAX_SUBSCRIPTIONS: Final = 1_024
"""Open listeners and subscribed resources of one connection. Source: the reference implementation's bound."""


class Connection:
    """The requests in flight of one channel, the questions it owes answers to, and its legacy session if it has one.

    Args:
        channel: Sends to the client.
        codec: Encodes.
        server_info: What the server calls itself.
    """

    __slots__ = (
        "_envelope",
        "_ids",
        "_questions",
        "channel",
        "codec",
        "exchanges",
        "is_closed",
        "is_paused",
        "server_info",
        "session",
        "subscriptions",
        "waiting",
    )

    def __init__(self, *, channel: Channel, codec: JSONRPCCodec, server_info: Mapping[str, Any]) -> None:
        self.channel = channel
        self.codec = codec
        self.server_info = server_info
        self.session: Session | None = None
        self.exchanges: dict[RequestId, Exchange] = {}
        self.waiting: deque[Exchange] = deque()
        self.subscriptions: dict[RequestId, Subscription] = {}
        self.is_closed = False
        self.is_paused = False
        self._questions: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._ids = count(1)
        # The last envelope without a progress token, as it came and as it was read.
        self._envelope: tuple[Mapping[str, Any], RequestMeta] | None = None

    def envelope(self, params: Mapping[str, Any]) -> RequestMeta:
        """Return the checked envelope of a modern request.

        A client sends the same one with each of its requests, so it is checked when it is another than the last. One
        with a progress token is always checked: to the comparison, 1 and true are the same.

        Raises:
            ProtocolError: -32602; see `parse_request_meta`.
        """
        given = params["_meta"]
        known = self._envelope
        if known is not None and given == known[0]:
            return known[1]
        meta = parse_request_meta(params)
        if "progressToken" not in given:
            self._envelope = given, meta
        return meta

    @property
    def running(self) -> int:
        """How many requests run: neither waiting for their turn nor listening."""
        return len(self.exchanges) - len(self.waiting) - len(self.subscriptions)

    @property
    def tasks(self) -> list[asyncio.Future[None]]:
        """The tasks of the requests that run; several may share one."""
        return [each.task for each in self.exchanges.values() if each.task is not None and not each.task.done()]

    def send(self, message: bytes) -> None:
        """Send an encoded message, unless the connection is closed."""
        if not self.is_closed:
            self.channel.send(message)

    def notify(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification."""
        self.send(self.codec.notification(method, params))

    async def request(self, method: str, params: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Send a request to the client and return its result; legacy revisions only.

        Raises:
            ResourceUnavailableError: The client answered with an error, or is gone.
        """
        if self.is_closed:
            raise ResourceUnavailableError("busy", "the client is gone")
        # A text, so that it is never taken for one of the client's own ids, which mostly are numbers.
        key = f"server-{next(self._ids)}"
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._questions[key] = future
        self.send(self.codec.request(key, method, params))
        try:
            return await future
        except asyncio.CancelledError:
            self.notify("notifications/cancelled", {"requestId": key, "reason": "no longer needed"})
            raise
        finally:
            self._questions.pop(key, None)

    def answered(self, response: Response) -> None:
        """Take the client's answer to a question; one to no question, or too late, is ignored."""
        future = self._questions.get(response.id) if isinstance(response.id, str) else None
        if future is None or future.done():
            return
        if response.error is not None:
            message = str(response.error.get("message", ""))[:200]
            future.set_exception(ResourceUnavailableError("busy", f"the client answered with an error: {message}"))
        else:
            future.set_result(response.result or {})

    def close(self) -> None:
        """Forget the client: nothing is sent any more, and open questions end."""
        self.is_closed = True
        for future in self._questions.values():
            if not future.done():
                future.set_exception(ResourceUnavailableError("busy", "the client is gone"))
        self.subscriptions.clear()
