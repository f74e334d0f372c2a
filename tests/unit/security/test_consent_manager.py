from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from mcp_server.errors.consent_required_error import ConsentRequiredError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.consent_manager import FORM, MAX_OPEN_QUESTIONS, ConsentManager
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import nothing, operation
from tests.security.chain.fake_peer import FakePeer

BELL = PermissionType.custom("CUSTOM_BELL")


class Desk:
    """A manager with its reports and one client."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, Mapping[str, Any]]] = []
        self.record = ClientRecord(profile=ClientProfile("ada"), files=None, now=0.0)
        self.manager = ConsentManager(report=lambda kind, fields: self.reports.append((kind, fields)))

    def ask(self, peer: FakePeer | None, **arguments: Any) -> None:
        plan = operation(nothing, arguments=arguments)
        asyncio.run(
            self.manager.ask(
                client="ada", record=self.record, operation=plan, wanted=[(BELL, "/abs/front", "front")], peer=peer
            )
        )


def test_the_question_is_a_form_with_one_box_and_says_who_what_and_on_what() -> None:
    desk, peer = Desk(), FakePeer()
    desk.ask(peer, name="front", count=2, flags={"b": True, "a": None})
    (question,) = peer.questions
    assert question["requestedSchema"] == FORM
    assert question["message"].split("\n") == [
        "ada wants to use probe.",
        "",
        "It needs:",
        "  CUSTOM_BELL /abs/front",
        "",
        "Arguments:",
        "  name: front",
        "  count: 2",
        '  flags: {"a": null, "b": true}',
    ]
    assert [kind for kind, _ in desk.reports] == ["consent.asked", "consent.granted"]
    assert desk.reports[0][1] == {"client": "ada", "tool": "probe", "need": [[BELL, "/abs/front"]]}


def test_a_call_without_arguments_shows_none() -> None:
    assert "Arguments" not in ConsentManager(report=print).text("ada", operation(nothing), [(BELL, "x")])


def test_a_question_that_travels_is_open_no_more() -> None:
    async def leaves(params: Mapping[str, Any]) -> Mapping[str, Any]:
        raise InputRequiredSignal("q0", {})

    desk = Desk()
    with pytest.raises(InputRequiredSignal):
        desk.ask(FakePeer(answer=leaves))
    assert desk.record.open_questions == 0
    assert [kind for kind, _ in desk.reports] == ["consent.asked"]


def test_too_many_open_questions_are_a_no_without_another() -> None:
    desk, peer = Desk(), FakePeer()
    desk.record.open_questions = MAX_OPEN_QUESTIONS
    with pytest.raises(ConsentRequiredError, match="too many questions"):
        desk.ask(peer)
    assert peer.questions == []
    assert desk.record.open_questions == MAX_OPEN_QUESTIONS


def test_a_refusal_names_what_was_wanted_in_the_clients_words() -> None:
    with pytest.raises(ConsentRequiredError) as caught:
        Desk().ask(None)
    assert caught.value.missing == ((BELL, "front"),)
    assert "/abs" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Grüße, 世界 🎉", "Grüße, 世界 🎉"),
        ("a\nb", "a\\u000ab"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2028b", "a\\u2028b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\ud800b", "a\\ud800b"),
        ("", ""),
    ],
)
def test_what_deceives_the_eye_is_spelt_out(text: str, shown: str) -> None:
    assert ConsentManager.visible(text) == shown
