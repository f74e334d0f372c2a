"""The runs of `target_evaluator` try everything, and notice what they are there to notice.

How many runs there are, `FUZZ_INPUTS` says, here as for the other targets: a sample in the suite, and with `make fuzz`
more than 20,000 policies, edits, clock moves and calls each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_generation import PolicyGeneration
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.rule_trace import RuleTrace
from mcp_server.security.permissions.use_ledger import UseLedger
from tests.fuzz.target_evaluator import KINDS, World

WORLDS = 150
"""Enough for each of the faults below to be met several times."""


def test_the_runs_meet_every_kind_of_right_with_every_answer() -> None:
    seen: Counter[str] = Counter()
    for number in range(WORLDS):
        World(f"seen {number}".encode(), seen).run()
    assert [kind for kind in KINDS for effect in ("allow", "ask", "deny") if not seen[f"{kind} {effect}"]] == []
    for what in ("policy", "edit", "move", "token", "permitted", "refused", "counted", "used up"):
        assert seen[what] > 2, what


def _timeless(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PermissionManager, "_current", lambda self: self._generation)


def _uncounted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(UseLedger, "left", lambda self, limits: 1)


def _remembering_too_long(patch: pytest.MonkeyPatch) -> None:
    begin = PermissionManager._begin

    def with_the_old_memory(self: PermissionManager, *arguments: Any) -> PolicyGeneration:
        generation = begin(self, *arguments)
        if hasattr(self, "_generation"):
            generation.decisions.update(self._generation.decisions)
        return generation

    patch.setattr(PermissionManager, "_begin", with_the_old_memory)


def _taking_tokens_for_one_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Narrowing, "__post_init__", lambda self: object.__setattr__(self, "digest", "same"))


def _passing_over_tokens(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PolicyEvaluator, "_token", lambda *_: RuleTrace("token", "", Effect.ALLOW))


def _denying_one_spelling_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PolicyRule, "is_denial", False)


def _without_folders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("mcp_server.security.permissions.client_profile.ClientProfile.holds", lambda *_: True)


def _allowing_what_is_asked(patch: pytest.MonkeyPatch) -> None:
    judge = PolicyEvaluator.judge

    def generous(traces: Any) -> Any:
        decision = judge(traces)
        from dataclasses import replace

        return replace(decision, effect=Effect.ALLOW) if decision.effect is Effect.ASK else decision

    patch.setattr(PolicyEvaluator, "judge", staticmethod(generous))


@pytest.mark.parametrize(
    "fault",
    [
        _timeless,
        _uncounted,
        _remembering_too_long,
        _taking_tokens_for_one_another,
        _passing_over_tokens,
        _denying_one_spelling_only,
        _without_folders,
        _allowing_what_is_asked,
    ],
)
def test_a_fault_is_noticed(fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    noticed = 0
    for number in range(WORLDS):
        try:
            World(f"seen {number}".encode()).run()
        except AssertionError:
            noticed += 1
    assert noticed > 0
