"""A request is answered once, or not at all when it was taken back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.protocol.sessions.batch_reply import BatchReply
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.running_call import RunningCall

Make = Callable[..., Exchange]


def test_second_answer_is_not_sent(exchange_of: Make, channel: Any) -> None:
    exchange = exchange_of("ping")
    exchange.answer(b"1")
    exchange.answer(b"2")
    assert channel.sent == [1]


def test_request_taken_back_is_not_answered(exchange_of: Make, channel: Any) -> None:
    exchange = exchange_of("ping")
    exchange.cancel()
    exchange.answer(b"1")
    assert channel.sent == []


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_answer_in_a_batch(exchange_of: Make, channel: Any, is_cancelled: bool) -> None:
    sent: list[list[bytes]] = []
    exchange = exchange_of("ping")
    exchange.batch = BatchReply(expected=2, send=sent.append)
    if is_cancelled:
        exchange.cancel()
    exchange.answer(b"1")
    exchange.answer(b"1")
    assert sent == []
    exchange.batch.add(b"2")
    assert sent == [[b"2"] if is_cancelled else [b"1", b"2"]]
    assert channel.sent == []


def test_taking_back_ends_the_task_and_tells_the_call(exchange_of: Make) -> None:
    async def main() -> None:
        exchange = exchange_of("ping")
        exchange.task = asyncio.get_running_loop().create_task(asyncio.Event().wait())  # type: ignore[assignment]
        exchange.is_running = True
        exchange.started(RunningCall(call_id="c", peer=None, task=None, started=0.0, deadline=1.0))
        await asyncio.sleep(0)
        exchange.cancel()
        assert exchange.call is not None
        assert exchange.call.is_cancelled
        with pytest.raises(asyncio.CancelledError):
            await exchange.task

    asyncio.run(main())


def test_news_of_a_request_that_is_over_are_not_sent(exchange_of: Make, channel: Any) -> None:
    exchange = exchange_of("tools/call")
    exchange.tell("notifications/progress", {"progress": 1})
    exchange.answer(b"{}")
    exchange.tell("notifications/progress", {"progress": 2})
    cancelled = exchange_of("tools/call")
    cancelled.cancel()
    cancelled.tell("notifications/progress", {"progress": 3})
    assert [each.get("params") for each in channel.sent] == [{"progress": 1}, None]


def test_threads_come_to_the_loop(exchange_of: Make) -> None:
    seen: list[tuple[int, int]] = []

    async def main() -> None:
        exchange = exchange_of("tools/call")
        exchange.task = asyncio.current_task()  # type: ignore[assignment] # any future of this loop
        exchange.on_loop(lambda: seen.append((0, threading.get_ident())))

        def work() -> None:
            for number in range(1, 4):
                exchange.on_loop(lambda number=number: seen.append((number, threading.get_ident())))

        await asyncio.to_thread(work)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == [(number, threading.get_ident()) for number in range(4)]


def test_threads_find_no_loop_any_more(exchange_of: Make) -> None:
    exchange = exchange_of("tools/call")

    async def main() -> None:
        exchange.task = asyncio.current_task()  # type: ignore[assignment] # as above

    asyncio.run(main())
    seen: list[int] = []
    exchange.on_loop(seen.append, 1)
    assert seen == []


def test_capabilities_are_those_of_the_request_or_the_session(exchange_of: Make, connection: Any) -> None:
    assert exchange_of("x", capabilities={"roots": {}}).client_capabilities == {"roots": {}}
    assert exchange_of("x", date="2025-06-18", capabilities={"sampling": {}}).client_capabilities == {"sampling": {}}
    connection.session = None
    legacy = exchange_of("x", date="2025-06-18")
    connection.session = None
    assert legacy.client_capabilities == {}


def test_result_is_dressed_as_the_revision_has_it(exchange_of: Make) -> None:
    assert exchange_of("ping", date="2025-06-18").project({}) == {}
    dressed = exchange_of("tools/list").project({"tools": []})
    assert dressed["resultType"] == "complete"
    assert dressed["_meta"]["io.modelcontextprotocol/serverInfo"] == {"name": "desk", "version": "1"}
