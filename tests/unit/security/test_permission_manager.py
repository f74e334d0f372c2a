from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.security.permission_manager import MAX_CACHED_RESOURCE_CHARACTERS, PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.security.chain.fake_clock import FakeClock

READ = PermissionType.FILE_READ


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path.resolve())


def test_a_remembered_answer_is_the_same_object(folder: str) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]))
    first = manager.decide("local", READ, f"{folder}/a")
    assert first.is_allowed
    assert manager.decide("local", READ, f"{folder}/a") is first


def test_the_first_question_after_a_reload_follows_the_new_policy(folder: str) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]))
    permission = Permission(READ)
    assert manager.decide("local", READ, f"{folder}/a").is_allowed
    assert manager.might_use("local", permission)
    empty = Policy.for_folders([])
    assert manager.replace(empty) == manager.epoch == 2
    assert manager.policy is empty
    assert manager.decide("local", READ, f"{folder}/a").effect is Effect.DENY
    assert not manager.might_use("local", permission)


def test_an_answer_of_the_old_policy_never_enters_the_memory_of_the_new(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]))
    evaluate = PolicyEvaluator.decide

    def replaced_meanwhile(self: PolicyEvaluator, *question: object) -> object:
        decision = evaluate(self, *question)  # type: ignore[arg-type]  # passed on as it came
        if manager.epoch == 1:
            manager.replace(Policy())
        return decision

    monkeypatch.setattr(PolicyEvaluator, "decide", replaced_meanwhile)
    assert manager.decide("local", READ, f"{folder}/a").is_allowed
    assert not manager.decide("local", READ, f"{folder}/a").is_allowed


def test_the_memory_is_bounded(folder: str) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]), max_cached_decisions=10)
    for number in range(100):
        manager.decide("local", READ, f"{folder}/{number}")
        manager.might_use("local", Permission(READ, f"{number}"))
        assert len(manager._generation.decisions) <= 10
        assert len(manager._generation.prospects) <= 10
    assert manager._generation.decisions


def test_strangers_and_long_resources_are_not_remembered(folder: str) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]))
    manager.decide("stranger", READ, f"{folder}/a")
    manager.might_use("stranger", Permission(READ))
    manager.decide("local", READ, f"{folder}/" + "a/" * MAX_CACHED_RESOURCE_CHARACTERS + "a")
    assert manager._generation.decisions == {}
    assert manager._generation.prospects == {}


def test_a_failed_evaluation_is_not_remembered(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder]))

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(PolicyEvaluator, "explain", broken)
        assert manager.decide("local", READ, f"{folder}/a").effect is Effect.DENY
    assert manager.decide("local", READ, f"{folder}/a").is_allowed


def test_profiles_and_explanations_come_from_the_policy_in_force(folder: str) -> None:
    manager = PermissionManager(policy=Policy.for_folders([folder], client="ada"))
    profile = manager.profile("ada")
    assert profile is not None
    assert profile.folders == (folder,)
    assert manager.profile("eve") is None
    assert manager.explain("ada", READ, f"{folder}/a")[-1].rule == "ada.allow[0]"
    assert manager.smallest_grant("ada", PermissionType.FILE_DELETE, f"{folder}/a") == "FILE_DELETE a"


COUNTED = 'version = 1\n[client.ada]\n[[client.ada.grant]]\nallow = "CUSTOM_X a"\nmax_uses = 1\n'
TIMED = (
    'version = 1\n[client.ada]\n[[client.ada.grant]]\nallow = "CUSTOM_X a"\n'
    "not_before = 1970-01-01T00:00:10Z\nexpires = 1970-01-01T00:00:20Z\n"
)
X = PermissionType.custom("CUSTOM_X")


def test_what_is_counted_is_never_remembered() -> None:
    manager = PermissionManager(policy=PolicyLoader().parse(COUNTED))
    # A look is no use, and does not say yes.
    assert manager.decide("ada", X, "a").effect is Effect.ASK
    decision = manager.decide_use("ada", X, "a")
    assert (decision.effect, decision.rule) == (Effect.ALLOW, "ada.grant[0]")
    assert manager._generation.decisions == {}
    assert decision.uses is not None
    assert manager.spend([decision.uses])
    for answer in (manager.decide("ada", X, "a"), manager.decide_use("ada", X, "a")):
        assert answer.effect is Effect.DENY
    assert not manager.spend([decision.uses])
    assert manager._generation.decisions == {}
    # The control: what no grant is about is remembered.
    assert manager.decide_use("ada", X, "b") is manager.decide("ada", X, "b")


def test_each_edge_of_a_grant_begins_another_epoch() -> None:
    clock = FakeClock(0.0)
    manager = PermissionManager(policy=PolicyLoader().parse(TIMED), clock=clock)

    def answer(now: float) -> tuple[int, bool, bool]:
        clock.now = now
        return manager.epoch, manager.decide("ada", X, "a").is_allowed, manager.might_use("ada", Permission(X))

    answers = [answer(now) for now in (0.0, 9.9, 10.0, 19.9, 20.0, 15.0, 5.0)]
    assert answers == [
        (1, False, False),
        (1, False, False),
        (2, True, True),
        (2, True, True),
        (3, False, False),
        (4, True, True),
        (5, False, False),
    ]
    assert manager.policy.clients["ada"].grants
    assert "it holds from" in manager.explain("ada", X, "a")[-1].reason


def test_a_policy_without_times_never_asks_for_the_time() -> None:
    asked: list[float] = []

    def clock() -> float:
        asked.append(0.0)
        return 0.0

    manager = PermissionManager(policy=Policy(), clock=clock)
    manager.decide("ada", X, "a")
    manager.might_use("ada", Permission(X))
    assert manager.epoch == 1
    assert asked == []
    manager.replace(PolicyLoader().parse(TIMED))
    manager.decide("ada", X, "a")
    assert asked
