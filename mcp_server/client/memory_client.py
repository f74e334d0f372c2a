"""A client in the same process, in front of the whole chain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final

from mcp_server.client.memory_channel import MemoryChannel
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.protocol.jsonrpc.request_meta import CLIENT_CAPABILITIES, CLIENT_INFO, PROTOCOL_VERSION
from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.security.authentication.credentials import Credentials

MODERN: Final = "2026-07-28"
MAX_ROUNDS: Final = 10
"""Questions answered for one request before the client gives up. Source: the reference implementations' bound."""

Answerer = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Answers a question of the server: method and params in, result out."""


class MemoryClient:
    """Speak the protocol to a handler, in either era, through nothing but function calls.

    Every message is encoded and decoded as on a wire, and passes the same chain.

    Args:
        handler: The server's protocol.
        profile: The client's name in the policy.
        revision: The revision to speak: `2026-07-28`, or an older one that begins with a handshake.
        answer: Answers the server's questions; without it the client declares that it can answer none.
    """

    def __init__(
        self,
        *,
        handler: MCPProtocolHandler,
        profile: str,
        revision: str = MODERN,
        answer: Answerer | None = None,
    ) -> None:
        self._handler = handler
        self._revision = revision
        self._answer = answer
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.notifications: list[dict[str, Any]] = []
        self._connection = handler.open(
            MemoryChannel(Credentials(transport="memory", profile=profile, connection="memory"), self._deliver)
        )

    @property
    def capabilities(self) -> dict[str, Any]:
        """What this client says it can do."""
        return {} if self._answer is None else {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}

    async def start(self) -> None:
        """Shake hands, where the revision wants that."""
        if self._revision != MODERN:
            await self.request(
                "initialize",
                {
                    "protocolVersion": self._revision,
                    "capabilities": self.capabilities,
                    "clientInfo": {"name": "memory", "version": "1"},
                },
            )
            self.notify("notifications/initialized", {})

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return its result; questions that travel in results are answered on the way.

        Raises:
            ProtocolError: The server answered with an error.
            ResourceUnavailableError: The client left before there was an answer.
        """
        given = dict(params or {})
        for _ in range(MAX_ROUNDS):
            result = await self._round(method, given)
            if result.get("resultType") != "input_required":
                return result
            responses = {
                key: await self._reply(each["method"], each.get("params", {}))
                for key, each in result.get("inputRequests", {}).items()
            }
            given = {**(params or {}), "inputResponses": responses, "requestState": result.get("requestState")}
        raise ProtocolError(0, f"the server asked more than {MAX_ROUNDS} times")

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": dict(params)})

    async def close(self) -> None:
        """Leave."""
        await self._handler.close(self._connection, 0.0)
        for future in self._waiting.values():
            if not future.done():
                # A server answers nothing to a client that has left.
                future.set_exception(ResourceUnavailableError("busy", "the client has left"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _round(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if self._revision == MODERN:
            meta = {
                **params.get("_meta", {}),
                PROTOCOL_VERSION: MODERN,
                CLIENT_CAPABILITIES: self.capabilities,
                CLIENT_INFO: {"name": "memory", "version": "1"},
            }
            params = {**params, "_meta": meta}
        number = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        try:
            answer = await future
        finally:
            del self._waiting[number]
        if "error" in answer:
            error = answer["error"]
            raise ProtocolError(error["code"], error["message"], error.get("data"))
        return dict(answer["result"])

    def _send(self, message: Mapping[str, Any]) -> None:
        self._handler.receive(self._connection, json.dumps(message).encode())

    def _deliver(self, data: bytes) -> None:
        message = json.loads(data)
        if "method" not in message:
            future = self._waiting.get(message.get("id"))
            if future is not None and not future.done():
                future.set_result(message)
        elif "id" in message:
            task = asyncio.ensure_future(self._respond(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.notifications.append(message)

    async def _respond(self, message: Mapping[str, Any]) -> None:
        try:
            result = await self._reply(message["method"], message.get("params", {}))
        except ProtocolError as error:
            answer: dict[str, Any] = {"error": {"code": error.code, "message": error.message}}
        else:
            answer = {"result": dict(result)}
        self._send({"jsonrpc": "2.0", "id": message["id"], **answer})

    async def _reply(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._answer is None:
            raise ProtocolError(-32601, "this client answers no questions")
        return await self._answer(method, params)
