from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.security import client_context
from mcp_server.security.authentication.peer_identity import PeerIdentity
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.call_means import CallMeans
from mcp_server.security.client_context import MAX_SAMPLE_TOKENS, ClientContext
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.running_call import RunningCall
from tests.security.chain.chain_rig import ChainRig, nothing, operation
from tests.security.chain.fake_peer import FakePeer


def context_of(rig: ChainRig, peer: FakePeer | None = None, client: str = "local") -> ClientContext:
    principal = Principal(client, ("local-peer",), PeerIdentity(uid=1000, pid=7))
    record = rig.clients.record(principal)
    plan = operation(nothing, module="notes")
    call = RunningCall(call_id="call-7", peer=peer, task=None, started=0.0, deadline=30.0)
    means = CallMeans(rig.permissions, ConsentManager(report=rig.audit.append), rig.pool, rig.sandboxes)
    return ClientContext(principal, record, plan, call, means, evidence=[])


def answering(action: str, content: Any = None) -> FakePeer:
    async def human(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"action": action} if content is None else {"action": action, "content": content}

    return FakePeer(answer=human)


def test_it_says_who_calls_and_which_call_it_is(rig: ChainRig) -> None:
    context = context_of(rig)
    assert (context.id, context.profile, context.peer) == ("call-7", "local", PeerIdentity(uid=1000, pid=7))
    assert not context.cancelled
    context._call.is_cancelled = True
    assert context.cancelled


def test_who_calls_cannot_be_changed(rig: ChainRig) -> None:
    context = context_of(rig)
    for name in ("id", "profile", "peer", "cancelled", "state", "files", "something_new"):
        with pytest.raises(AttributeError):
            setattr(context, name, "admin")


def test_doors_are_made_once_a_call(rig: ChainRig) -> None:
    context = context_of(rig, FakePeer())
    assert context.files is context.files
    assert context.log is context.log


def test_state_lives_between_calls_of_one_client(rig: ChainRig) -> None:
    context_of(rig).state["page"] = 2
    assert context_of(rig).state["page"] == 2
    assert "page" not in context_of(rig, client="other").state


def test_progress_and_log_reach_the_client(rig: ChainRig) -> None:
    peer = FakePeer()
    context = context_of(rig, peer)
    context.progress(1, 2, "half")
    context.log.info("hello")
    assert peer.news == [("progress", 1, 2, "half"), ("log", "info", "hello", "notes")]


def test_without_the_other_end_news_are_dropped_and_questions_refused(rig: ChainRig) -> None:
    context = context_of(rig)
    context.progress(1)
    context.log.error("lost")
    for question, capability in (
        (context.ask("Name?", {"name": str}), "elicitation"),
        (context.ask_url("Look", "https://example.com"), "elicitation"),
        (context.sample("hello"), "sampling"),
        (context.roots(), "roots"),
    ):
        with pytest.raises(CapabilityMissingError) as caught:
            asyncio.run(question)
        assert list(caught.value.capabilities) == [capability]


def test_a_client_is_asked_only_what_it_said_it_can_answer(rig: ChainRig) -> None:
    context = context_of(rig, FakePeer(can=()))
    for question in (context.ask("Name?", {"name": str}), context.sample("hello"), context.roots()):
        with pytest.raises(CapabilityMissingError):
            asyncio.run(question)
    with pytest.raises(CapabilityMissingError):
        asyncio.run(context.ask_url("Look", "https://example.com"))


def test_an_answer_that_fits_the_form_is_returned(rig: ChainRig) -> None:
    peer = answering("accept", {"name": "Ada", "age": 36})
    answer = asyncio.run(context_of(rig, peer).ask("Who?", {"name": str, "age": int}))
    assert answer.accepted
    assert answer["name"] == "Ada"
    assert peer.questions[0]["message"] == "Who?"
    assert peer.questions[0]["requestedSchema"]["required"] == ["name", "age"]


@pytest.mark.parametrize(
    ("action", "seen"), [("decline", "decline"), ("cancel", "cancel"), ("no idea", "decline"), ("", "decline")]
)
def test_whatever_is_not_accepted_is_declined(rig: ChainRig, action: str, seen: str) -> None:
    answer = asyncio.run(context_of(rig, answering(action, {"name": "Ada"})).ask("Who?", {"name": str}))
    assert (answer.action, dict(answer.content)) == (seen, {})


@pytest.mark.parametrize("content", [None, {}, {"name": 3}, {"name": "Ada", "admin": True}, []])
def test_an_answer_that_does_not_fit_the_form_is_refused(rig: ChainRig, content: Any) -> None:
    with pytest.raises(ResourceUnavailableError, match="does not fit"):
        asyncio.run(context_of(rig, answering("accept", content)).ask("Who?", {"name": str}))


def test_a_form_is_checked_before_anybody_is_asked(rig: ChainRig) -> None:
    peer = FakePeer()
    with pytest.raises(ConfigurationError):
        asyncio.run(context_of(rig, peer).ask("Log in", {"password": str}))
    assert peer.questions == []


@pytest.mark.parametrize("url", ["http://example.com", "file:///etc/passwd", "javascript:alert(1)", "HTTPS://x", ""])
def test_a_human_is_sent_to_https_only(rig: ChainRig, url: str) -> None:
    peer = FakePeer()
    with pytest.raises(ConfigurationError, match="https"):
        asyncio.run(context_of(rig, peer).ask_url("Look", url))
    assert peer.questions == []


def test_a_web_page_is_answered_by_an_action_alone(rig: ChainRig) -> None:
    peer = answering("accept", {"smuggled": True})
    answer = asyncio.run(context_of(rig, peer).ask_url("Look", "https://example.com/x"))
    assert answer.accepted
    assert dict(answer.content) == {}
    assert peer.questions == [{"mode": "url", "message": "Look", "url": "https://example.com/x"}]
    assert asyncio.run(context_of(rig, answering("odd")).ask_url("Look", "https://example.com")).action == "decline"


def test_the_clients_model_is_asked_with_a_bound(rig: ChainRig) -> None:
    peer = FakePeer()
    context = context_of(rig, peer)
    asyncio.run(context.sample("hello"))
    asyncio.run(context.sample([{"role": "user", "content": {}}], max_tokens=5, system_prompt="Short.", temperature=0))
    assert peer.samples == [
        {"messages": [{"role": "user", "content": {"type": "text", "text": "hello"}}], "maxTokens": MAX_SAMPLE_TOKENS},
        {"messages": [{"role": "user", "content": {}}], "maxTokens": 5, "systemPrompt": "Short.", "temperature": 0},
    ]


def test_roots_are_what_the_client_says(rig: ChainRig) -> None:
    assert asyncio.run(context_of(rig, FakePeer()).roots()) == [{"uri": "file:///home/ada", "name": "home"}]


def test_a_path_is_resolved_by_its_words_alone(rig: ChainRig) -> None:
    context = context_of(rig)
    assert context.resolve_path("sub/./missing.txt") == str(rig.folder / "sub" / "missing.txt")
    with pytest.raises(SandboxViolationError):
        context.resolve_path("../x")
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n"))
    with pytest.raises(ResourceUnavailableError, match="no folder"):
        context_of(rig).resolve_path("x")


def test_blocking_work_runs_in_a_thread(rig: ChainRig) -> None:
    name = asyncio.run(context_of(rig).run_sync(lambda: threading.current_thread().name))
    assert name != threading.main_thread().name


def test_a_question_that_is_open_is_counted_and_one_that_ended_is_not(rig: ChainRig) -> None:
    seen: list[int] = []

    async def human(params: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(context._call.waiting)
        raise RuntimeError

    context = context_of(rig, FakePeer(answer=human))
    with pytest.raises(RuntimeError):
        asyncio.run(context.ask("Who?", {"name": str}))
    assert seen == [1]
    assert context._call.waiting == 0


def test_a_question_that_nobody_answers_ends(rig: ChainRig, monkeypatch: pytest.MonkeyPatch) -> None:
    # A deadline in the past: the loop ends the wait in its next turn.
    monkeypatch.setattr(client_context, "QUESTION_SECONDS", -1.0)

    async def silent(params: Mapping[str, Any]) -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(ResourceUnavailableError, match="in time"):
        asyncio.run(context_of(rig, FakePeer(answer=silent)).ask("Who?", {"name": str}))


def test_a_context_reaches_nobody_when_its_call_has_ended(rig: ChainRig) -> None:
    peer = FakePeer()
    context = context_of(rig, peer)
    context._call.has_ended = True
    context.progress(1)
    context.log.info("late")
    with pytest.raises(CapabilityMissingError):
        asyncio.run(context.ask("Who?", {"name": str}))
    assert peer.news == []
    assert peer.questions == []


def test_a_server_that_connects_to_nothing_says_so(rig: ChainRig) -> None:
    with pytest.raises(ResourceUnavailableError, match="connects to nothing"):
        _ = context_of(rig).http


def test_the_door_to_the_web_is_made_once_and_for_its_client(rig: ChainRig) -> None:
    context = context_of(rig)
    opened: list[str] = []
    # It makes nothing of it.
    context._means = context._means._replace(open_http=opened.append)  # type: ignore[arg-type]
    assert context.http is context.http
    assert opened == ["local"]
