"""No effect without an intent on record, no answer without an outcome on record; a disk that fails is the attacker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.tool_error import ToolError
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import ChainRig, operation

WRITES = Permission(PermissionType.FILE_WRITE, "**")


class Effect:
    """A handler that leaves a trace in the world."""

    def __init__(self, rig: ChainRig) -> None:
        self.file = rig.folder / "effect.txt"
        self.kinds_seen: list[str] = []
        self._rig = rig

    async def __call__(self, client: Any) -> str:
        self.kinds_seen = self._rig.kinds()
        await client.files.write_text("effect.txt", "it happened")
        return "the secret result"

    @property
    def happened(self) -> bool:
        return self.file.exists()


def run(rig: ChainRig, plan: Any) -> Any:
    return asyncio.run(rig.chain.run(rig.local, lambda principal: plan))


def test_the_intent_is_on_disk_when_the_handler_starts(rig: ChainRig) -> None:
    seen: list[bytes] = []

    async def looks(client: Any) -> None:
        seen.append(b"".join(path.read_bytes() for path in (rig.directory / "audit").glob("*.jsonl")))

    run(rig, operation(looks, arguments={"text": "hello"}))
    assert b'"kind":"call.intent"' in seen[0]
    assert b'"kind":"call.done"' not in seen[0]
    assert rig.kinds() == ["call.intent", "call.done"]
    intent, done = rig.calls()
    assert intent["call"] == done["call"]
    assert intent["policy"] == rig.permissions.policy.digest
    assert intent["args"]["text"]["len"] == 5


def test_a_handler_is_not_called_when_the_intent_cannot_be_written(rig: ChainRig) -> None:
    effect = Effect(rig)
    rig.writer.fails_after = 0
    with pytest.raises(AuditUnavailableError):
        run(rig, operation(effect, permissions=(WRITES,)))
    assert not effect.happened
    assert effect.kinds_seen == []


def test_an_answer_is_withheld_when_the_outcome_cannot_be_written(rig: ChainRig) -> None:
    effect = Effect(rig)
    rig.writer.fails_after = 1
    with pytest.raises(AuditUnavailableError) as caught:
        run(rig, operation(effect, permissions=(WRITES,)))
    assert "secret" not in str(caught.value)
    # What happened is not undone, but the intent stands.
    assert effect.happened
    assert rig.kinds() == ["call.intent"]


def test_without_the_chain_the_same_handler_runs_unseen(rig: ChainRig) -> None:
    # The negative control: it is the chain that refuses, not the handler or the rig.
    effect = Effect(rig)
    rig.writer.fails_after = 0

    class Door:
        class files:  # noqa: N801 - stands in for an attribute
            @staticmethod
            async def write_text(path: str, text: str) -> None:
                (rig.folder / path).write_text(text)

    assert asyncio.run(effect(Door())) == "the secret result"
    assert effect.happened


@pytest.mark.parametrize("fails_after", [0, 1])
def test_a_failed_log_refuses_every_later_call(rig: ChainRig, fails_after: int) -> None:
    rig.writer.fails_after = fails_after
    effect = Effect(rig)
    with pytest.raises(AuditUnavailableError):
        run(rig, operation(effect, permissions=(WRITES,)))
    effect.file.unlink(missing_ok=True)
    rig.writer.fails_after = None
    for has_effects in (True, False):
        with pytest.raises(AuditUnavailableError):
            run(rig, operation(effect, permissions=(WRITES,), has_effects=has_effects))
        assert not effect.happened


def test_a_reading_tool_needs_no_intent_but_its_answer_waits_for_the_record(rig: ChainRig) -> None:
    async def reads(client: Any) -> str:
        assert rig.kinds() == []
        return "read"

    assert run(rig, operation(reads, has_effects=False)) == "read"
    assert rig.kinds() == ["call.done"]
    rig.writer.fails_after = 0
    with pytest.raises(AuditUnavailableError):
        run(rig, operation(reads, has_effects=False))


def test_a_refusal_that_cannot_be_recorded_is_told_as_that(rig: ChainRig) -> None:
    rig.writer.fails_after = 0
    unbound = Permission(PermissionType.FILE_READ, "never.txt", argument="path")
    with pytest.raises(AuditUnavailableError):
        run(rig, operation(Effect(rig), permissions=(unbound,), needs={unbound: "never.txt"}))


def test_an_authentication_that_fails_unrecorded_draws_no_plan(rig: ChainRig) -> None:
    drawn: list[Any] = []
    rig.writer.fails_after = 0
    rig.permissions.replace(rig.policy("version = 1\n[client.somebody]\n"))
    with pytest.raises(AuditUnavailableError):
        asyncio.run(rig.chain.run(rig.local, lambda principal: drawn.append(principal)))  # type: ignore[arg-type,return-value]
    assert drawn == []


def test_failures_of_the_handler_are_on_record_and_named_without_their_words(rig: ChainRig) -> None:
    async def fails(client: Any) -> None:
        raise ToolError("the password is swordfish")

    with pytest.raises(ToolError):
        run(rig, operation(fails))
    assert rig.kinds() == ["call.intent", "call.done"]
    assert rig.calls()[-1]["err"] == "ToolError"
    assert "swordfish" not in str(rig.records)


@pytest.mark.parametrize("has_effects", [True, False])
def test_what_a_handler_refuses_is_not_on_record_as_a_denial(rig: ChainRig, has_effects: bool) -> None:
    async def fails(client: Any) -> None:
        raise ToolError("no such note")

    with pytest.raises(ToolError):
        run(rig, operation(fails, has_effects=has_effects))
    assert rig.calls()[-1]["kind"] == "call.done"
    assert "decision" not in rig.calls()[-1]


def test_with_durability_disk_the_intent_is_synced_before_the_handler_starts(tmp_path: Path) -> None:
    rig = ChainRig(tmp_path, durability=Durability.DISK)
    synced: list[int] = []
    original = rig.audit.durable

    async def durable(seq: int) -> None:
        await original(seq)
        synced.append(seq)

    rig.audit.durable = durable  # type: ignore[method-assign]
    at_start: list[int] = []

    async def handler(client: Any) -> None:
        at_start.extend(synced)

    try:
        run(rig, operation(handler))
        intent, done = rig.calls()
        assert at_start == [intent["seq"]]
        assert synced == [intent["seq"], done["seq"]]
    finally:
        rig.close()
