"""The client of one modern request: asked by leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.progress_meter import ProgressMeter
from mcp_server.protocol.sessions.stateless_peer import StatelessPeer

ALL: dict[str, Any] = {"elicitation": {}, "sampling": {}, "roots": {}}
FORM = {"message": "m", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}
OTHER = {**FORM, "message": "another"}
YES = {"action": "accept", "content": {"a": "x"}}


@pytest.fixture
def peer_of(exchange_of: Callable[..., Exchange]) -> Callable[..., StatelessPeer]:
    def make(
        asked: Mapping[str, str] | None = None,
        answers: Mapping[str, Any] | None = None,
        *,
        capabilities: Mapping[str, Any] = ALL,
        token: str | None = None,
        log_level: str | None = None,
    ) -> StatelessPeer:
        exchange = exchange_of("tools/call", capabilities=capabilities, log_level=log_level)
        assert exchange.meta is not None
        meter = None if token is None else ProgressMeter(token=token, clock=lambda: 0.0)
        return StatelessPeer(
            exchange=exchange, meta=exchange.meta, meter=meter, asked=asked or {}, answers=answers or {}
        )

    return make


def signal(peer: StatelessPeer, params: Mapping[str, Any] = FORM) -> InputRequiredSignal:
    with pytest.raises(InputRequiredSignal) as caught:
        asyncio.run(peer.elicit(params))
    return caught.value


def test_question_leaves(peer_of: Any, channel: Any) -> None:
    peer = peer_of()
    raised = signal(peer)
    assert raised.request == {"method": "elicitation/create", "params": FORM}
    assert set(peer.asked) == {raised.key}
    assert channel.sent == []


def test_answer_to_what_was_asked(peer_of: Any) -> None:
    first = peer_of()
    key = signal(first).key
    again = peer_of(first.asked, {key: YES})
    assert asyncio.run(again.elicit(FORM)) == YES


def test_answer_to_another_question_is_not_believed(peer_of: Any) -> None:
    first = peer_of()
    key = signal(first).key
    again = peer_of(first.asked, {key: YES})
    assert signal(again, OTHER).request["params"] == OTHER
    assert again.answers == {}


def test_answer_that_was_never_asked_for(peer_of: Any) -> None:
    assert signal(peer_of({}, {"q0": YES, "q1": YES})).key == "q0"


def test_answers_to_later_questions_are_dropped_on_another_course(peer_of: Any) -> None:
    one = peer_of()
    signal(one)
    two = peer_of(one.asked, {"q0": YES})
    asyncio.run(two.elicit(FORM))
    signal(two, OTHER)
    assert set(two.asked) == {"q0", "q1"}
    # This time the first question is another one, so the answer to the second is worth nothing.
    three = peer_of(two.asked, {"q0": YES, "q1": YES})
    assert signal(three, OTHER).key == "q0"
    assert set(three.asked) == {"q0"}
    assert three.answers == {}


def test_abilities(peer_of: Any) -> None:
    peer = peer_of()
    assert (peer.can_elicit, peer.can_elicit_url, peer.can_sample, peer.can_list_roots) == (True, False, True, True)
    peer = peer_of(capabilities={"elicitation": {"url": {}}})
    assert (peer.can_elicit, peer.can_elicit_url, peer.can_sample, peer.can_list_roots) == (False, True, False, False)


def test_model_and_roots(peer_of: Any) -> None:
    with pytest.raises(InputRequiredSignal) as caught:
        asyncio.run(peer_of().sample({"messages": []}))
    assert caught.value.request["method"] == "sampling/createMessage"
    with pytest.raises(CapabilityMissingError):
        asyncio.run(peer_of().sample({"messages": [], "tools": []}))
    asking = peer_of()
    with pytest.raises(InputRequiredSignal) as caught:
        asyncio.run(asking.list_roots())
    assert caught.value.request == {"method": "roots/list"}
    answering = peer_of(asking.asked, {"q0": {"roots": [{"uri": "file:///a"}]}})
    assert asyncio.run(answering.list_roots()) == [{"uri": "file:///a"}]
    for nonsense in ({}, {"roots": None}, {"roots": ["file:///a"]}):
        with pytest.raises(ProtocolError):
            asyncio.run(peer_of(asking.asked, {"q0": nonsense}).list_roots())


def test_progress_and_log(peer_of: Any, channel: Any) -> None:
    async def main() -> None:
        peer = peer_of(token="t", log_level="error")
        peer.progress(1, 2, "half")
        peer.heartbeat(5.0)
        peer.log("warning", "no", None)
        peer.log("error", "yes", "notes")
        silent = peer_of()
        silent.progress(1, None, None)
        silent.heartbeat(5.0)
        silent.log("emergency", "no", None)

    asyncio.run(main())
    methods = ["notifications/progress", "notifications/progress", "notifications/message"]
    assert [each["method"] for each in channel.sent] == methods
    assert channel.sent[2]["params"] == {"level": "error", "logger": "notes", "data": "yes"}
