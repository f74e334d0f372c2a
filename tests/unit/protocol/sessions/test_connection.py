"""Questions find their answers, and nothing is sent to who is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.protocol.jsonrpc.request_meta import CLIENT_CAPABILITIES, PROTOCOL_VERSION, parse_request_meta
from mcp_server.protocol.jsonrpc.response import Response
from mcp_server.protocol.sessions.connection import Connection


def test_answer_reaches_its_question(connection: Connection, channel: Any) -> None:
    async def main() -> list[Any]:
        asked = [asyncio.ensure_future(connection.request("roots/list", None)) for _ in range(2)]
        await asyncio.sleep(0)
        first, second = (message["id"] for message in channel.sent)
        assert first != second
        connection.answered(Response(second, {"n": 2}, None))
        connection.answered(Response(first, {"n": 1}, None))
        return [await each for each in asked]

    assert asyncio.run(main()) == [{"n": 1}, {"n": 2}]
    assert connection._questions == {}


def test_error_answer_fails_the_question(connection: Connection, channel: Any) -> None:
    async def main() -> None:
        asked = asyncio.ensure_future(connection.request("roots/list", None))
        await asyncio.sleep(0)
        connection.answered(Response(channel.sent[0]["id"], None, {"code": 1, "message": "x" * 1000}))
        with pytest.raises(ResourceUnavailableError, match="answered with an error") as caught:
            await asked
        assert len(caught.value.message) < 300

    asyncio.run(main())


@pytest.mark.parametrize("request_id", [None, 1, "server-99"])
def test_answer_to_nothing_is_ignored(connection: Connection, channel: Any, request_id: Any) -> None:
    async def main() -> None:
        asked = asyncio.ensure_future(connection.request("roots/list", None))
        await asyncio.sleep(0)
        connection.answered(Response(request_id, {}, None))
        assert not asked.done()
        connection.answered(Response(channel.sent[0]["id"], {}, None))
        connection.answered(Response(channel.sent[0]["id"], {"late": True}, None))
        assert await asked == {}

    asyncio.run(main())


def test_question_is_taken_back_with_its_call(connection: Connection, channel: Any) -> None:
    async def main() -> None:
        asked = asyncio.ensure_future(connection.request("roots/list", None))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(main())
    question, cancellation = channel.sent
    assert cancellation["method"] == "notifications/cancelled"
    assert cancellation["params"]["requestId"] == question["id"]


def test_closing_ends_questions_and_sends_nothing_more(connection: Connection, channel: Any) -> None:
    async def main() -> None:
        asked = asyncio.ensure_future(connection.request("roots/list", None))
        await asyncio.sleep(0)
        connection.close()
        with pytest.raises(ResourceUnavailableError, match="gone"):
            await asked
        with pytest.raises(ResourceUnavailableError, match="gone"):
            await connection.request("roots/list", None)

    asyncio.run(main())
    connection.notify("notifications/message", {})
    connection.send(b"1")
    assert len(channel.sent) == 1


def test_what_runs_is_neither_waiting_nor_listening(connection: Connection, exchange_of: Any) -> None:
    async def main() -> None:
        for number in range(4):
            connection.exchanges[number] = exchange_of("x", request_id=number)
        connection.waiting.append(connection.exchanges[0])
        connection.subscriptions[1] = None  # type: ignore[assignment] # only counted
        assert connection.running == 2
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        open_ = asyncio.get_running_loop().create_future()
        connection.exchanges[2].task, connection.exchanges[3].task = done, open_
        assert connection.tasks == [open_]

    asyncio.run(main())


ENVELOPE = {PROTOCOL_VERSION: "2026-07-28", CLIENT_CAPABILITIES: {}}


def test_envelope_that_is_the_same_again_is_checked_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Any] = []

    def check(params: Any) -> Any:
        checked.append(params)
        return parse_request_meta(params)

    monkeypatch.setattr("mcp_server.protocol.sessions.connection.parse_request_meta", check)
    first = connection.envelope({"_meta": dict(ENVELOPE)})
    assert connection.envelope({"_meta": dict(ENVELOPE), "name": "x"}) is first
    other = connection.envelope({"_meta": {**ENVELOPE, CLIENT_CAPABILITIES: {"elicitation": {}}}})
    assert other.client_capabilities == {"elicitation": {}}
    assert connection.envelope({"_meta": dict(ENVELOPE)}).client_capabilities == {}
    assert len(checked) == 3


@pytest.mark.parametrize("token", [True, 1.0])
def test_envelope_with_a_progress_token_is_always_checked(connection: Connection, token: Any) -> None:
    connection.envelope({"_meta": dict(ENVELOPE)})
    assert connection.envelope({"_meta": {**ENVELOPE, "progressToken": 1}}).progress_token == 1
    with pytest.raises(ProtocolError):
        connection.envelope({"_meta": {**ENVELOPE, "progressToken": token}})
    assert connection.envelope({"_meta": dict(ENVELOPE)}).progress_token is None


def test_envelope_that_was_refused_is_refused_again(connection: Connection) -> None:
    for _ in range(2):
        with pytest.raises(ProtocolError):
            connection.envelope({"_meta": {PROTOCOL_VERSION: "2026-07-28"}})
