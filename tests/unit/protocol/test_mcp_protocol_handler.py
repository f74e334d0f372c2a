"""Frames in, frames out, with routes and a chain of the test's own; what the wire says is `tests/conformance`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.protocol.protocol_config import ProtocolConfig
from mcp_server.protocol.request_router import RequestRouter
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.session import Session
from mcp_server.protocol.sessions.subscription_hub import SubscriptionHub
from mcp_server.security.consent.state_sealer import StateSealer

Work = Callable[[], Awaitable[Any]]


class FakeChain:
    """Runs whatever the plan is, without any check."""

    def __init__(self) -> None:
        self.forgotten: list[Any] = []

    async def run(self, credentials: Any, plan: Any, **_: Any) -> Any:
        return await plan(None)()

    def forget(self, credentials: Any) -> None:
        self.forgotten.append(credentials)


class FakeSubscriptions:
    """Has a bug."""

    async def listen(self, exchange: Any) -> None:
        raise KeyError("a bug")


class Bench:
    """A handler with one method that does what the test says."""

    def __init__(self, channel: Any, **bounds: int) -> None:
        self.works: dict[Any, Work] = {}
        self.chain = FakeChain()
        registry = RevisionRegistry()
        route = Route(
            "tools/call",
            plan=lambda exchange: lambda principal: self.works[exchange.request_id],
            finish=lambda exchange, value: {"value": value},
        )
        self.handler = MCPProtocolHandler(
            codec=JSONRPCCodec(),
            registry=registry,
            router=RequestRouter([route, Route("tools/list", answer=self.fail), Route("ping", answer=lambda _: {})]),
            subscriptions=FakeSubscriptions(),  # type: ignore[arg-type] # as much of one as is needed
            hub=SubscriptionHub(may_read=lambda connection, uri: True),
            chain=self.chain,  # type: ignore[arg-type] # likewise
            sealer=StateSealer(key=bytes(32)),
            config=ProtocolConfig(server_info={"name": "desk", "version": "1"}, **bounds),
        )
        self.channel = channel
        self.connection: Connection = self.handler.open(channel)
        revision = registry.negotiate("2025-06-18")
        self.connection.session = Session(revision=revision, capabilities={}, client_info={})

    @staticmethod
    def fail(_: Any) -> dict[str, Any]:
        raise KeyError("a bug")

    def send(self, method: str, request_id: Any = None, work: Work | None = None, **params: Any) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if request_id is not None:
            message["id"] = request_id
        if work is not None:
            self.works[request_id] = work
        self.handler.receive(self.connection, json.dumps(message).encode())

    def answers(self) -> dict[Any, Any]:
        return {each["id"]: each.get("result", each.get("error")) for each in self.channel.sent}


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def value() -> str:
    return "done"


def test_bug_of_a_method_is_an_internal_error(channel: Any) -> None:
    async def main() -> None:
        bench = Bench(channel)
        bench.send("tools/list", 1)
        assert bench.answers()[1] == {"code": -32603, "message": "internal error"}

    asyncio.run(main())


@pytest.mark.parametrize("error", [KeyError("a bug"), asyncio.CancelledError(), ProtocolError(-32602, "no")])
def test_whatever_happens_is_answered(channel: Any, error: BaseException) -> None:
    async def fail() -> None:
        raise error

    async def main() -> None:
        bench = Bench(channel)
        bench.send("tools/call", 1, fail)
        bench.send("tools/call", 2, value)
        await settle()
        assert bench.answers()[1]["code"] in (-32603, -32602)
        assert bench.answers()[2] == {"value": "done"}
        assert bench.connection.exchanges == {}

    asyncio.run(main())


def test_bug_of_listening_is_an_internal_error_and_others_go_on(channel: Any) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }

    async def main() -> None:
        bench = Bench(channel)
        bench.send("subscriptions/listen", 1, _meta=meta)
        bench.send("tools/call", 2, value)
        await settle()
        assert bench.answers()[1]["code"] == -32603
        assert bench.answers()[2] == {"value": "done"}
        assert bench.connection.exchanges == {}

    asyncio.run(main())


def test_requests_past_the_bound_wait_and_then_are_refused(channel: Any) -> None:
    began: list[int] = []

    async def main() -> None:
        gate = asyncio.Event()

        async def wait() -> None:
            began.append(1)
            await gate.wait()

        bench = Bench(channel, max_in_flight=2, max_waiting=1)
        for number in range(4):
            bench.send("tools/call", number, wait)
        await settle()
        assert len(began) == 2
        assert bench.answers()[3]["code"] == 4290
        gate.set()
        await settle()
        assert set(bench.answers()) == {0, 1, 2, 3}

    asyncio.run(main())


def test_close_lets_run_what_ends_in_time(channel: Any) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def wait() -> str:
            await gate.wait()
            return "done"

        bench = Bench(channel, max_in_flight=1)
        for number in range(3):
            bench.send("tools/call", number, wait)
        closing = asyncio.ensure_future(bench.handler.close(bench.connection, 5.0))
        await settle()
        assert bench.answers() == {}
        gate.set()
        await closing
        assert bench.answers() == {number: {"value": "done"} for number in range(3)}
        assert bench.connection.is_closed
        assert bench.chain.forgotten == [channel.credentials]

    asyncio.run(main())


def test_close_ends_what_does_not(channel: Any) -> None:
    ended: list[str] = []

    async def main() -> None:
        async def wait() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("ended")

        bench = Bench(channel, max_in_flight=2)
        for number in range(5):
            bench.send("tools/call", number, wait)
        await settle()
        await bench.handler.close(bench.connection, 0.0)
        assert ended == ["ended"] * 2
        assert bench.answers() == {}
        assert bench.connection.exchanges == {}

    asyncio.run(main())


def test_closing_an_idle_connection_takes_no_time(channel: Any) -> None:
    async def main() -> None:
        bench = Bench(channel)
        bench.send("ping", 1)
        await asyncio.wait_for(bench.handler.close(bench.connection, 60.0), 1.0)
        assert bench.answers() == {1: {}}

    asyncio.run(main())
