"""Ways to get more out of a token than the policy grants its client, or than the token says."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_evaluator import MAX_NARROWINGS, PolicyEvaluator
from mcp_server.security.permissions.policy_loader import PolicyLoader

READ, WRITE = PermissionType.FILE_READ, PermissionType.FILE_WRITE
CODE = PermissionType.CODE_EXECUTION
POLICY = """
version = 1
[client.ada]
folders = ["notes"]
allow = ["FILE_READ *.md", "CODE_EXECUTION unrestricted"]
ask = ["FILE_READ ask/*"]
deny = ["FILE_READ never.md"]
[[client.ada.grant]]
allow = "FILE_READ *.txt"
max_uses = 1
[client.eve]
folders = ["notes"]
[scope.all]
allow = ["FILE_READ **"]
"""
ALL = Narrowing.of(scopes=["all"])
ORDER = [Effect.DENY, Effect.ASK, Effect.ALLOW]


@pytest.fixture
def manager(tmp_path: Path) -> PermissionManager:
    (tmp_path / "notes").mkdir()
    return PermissionManager(policy=PolicyLoader().parse(POLICY, base=tmp_path.resolve()))


def names(tmp_path: Path) -> list[str]:
    return [f"{tmp_path.resolve()}/notes/{name}" for name in ("a.md", "ask/a", "never.md", "a.txt", "a.jpg", ".ssh/id")]


@pytest.mark.parametrize(
    "narrowing",
    [
        Narrowing(),
        ALL,
        Narrowing.of(rules=["FILE_READ **", "FILE_WRITE **", "CODE_EXECUTION *", "CODE_EXECUTION unrestricted"]),
        Narrowing.of(rules=["FILE_READ /**"]),
        Narrowing.of(rules=["FILE_READ a.md", "nonsense"], scopes=["unknown"]),
    ],
)
def test_no_token_grants_what_the_policy_does_not(
    manager: PermissionManager, tmp_path: Path, narrowing: Narrowing
) -> None:
    for client, kind, name in itertools.product(("ada", "eve", "mallory"), (READ, WRITE), names(tmp_path)):
        without = manager.decide_use(client, kind, name)
        with_token = manager.decide_use(client, kind, name, narrowing)
        assert ORDER.index(with_token.effect) <= ORDER.index(without.effect)
        assert manager.decide_use(client, kind, name, narrowing) == with_token
    permission = Permission(READ, "a.md")
    assert manager.might_use("ada", permission)
    assert manager.might_use("ada", permission, narrowing) is (narrowing != Narrowing())
    assert not manager.might_use("eve", permission, narrowing)


def test_what_a_token_leaves_out_is_refused_though_the_policy_grants_it(
    manager: PermissionManager, tmp_path: Path
) -> None:
    name = names(tmp_path)[0]
    narrow = Narrowing.of(rules=["FILE_READ b.md"])
    # In this order, so that an answer without the token, or with another, would be remembered.
    assert manager.decide("ada", READ, name).is_allowed
    decision = manager.decide("ada", READ, name, narrow)
    assert (decision.effect, decision.layer) == (Effect.DENY, "token")
    assert manager.decide("ada", READ, name, ALL).is_allowed
    assert manager.decide("ada", READ, name, narrow) is decision
    assert manager.decide("ada", READ, name).is_allowed
    assert not manager.might_use("ada", Permission(READ, "a.md"), narrow)
    assert [trace.layer for trace in manager.explain("ada", READ, name, narrow)] == [
        "default_deny",
        "ceiling",
        "token",
        "client",
    ]
    # No rule of the policy would help.
    assert manager.smallest_grant("ada", READ, names(tmp_path)[4], narrow) == ""
    assert manager.smallest_grant("ada", READ, names(tmp_path)[4], ALL) == "FILE_READ a.jpg"


def test_leaving_the_sandbox_must_be_written_out_in_the_token_too(manager: PermissionManager) -> None:
    outside = Permission(CODE, restricted=False)
    for rule, answer in (("CODE_EXECUTION *", False), ("CODE_EXECUTION unrestricted", True)):
        narrowing = Narrowing.of(rules=[rule])
        assert manager.decide("ada", CODE, "unrestricted", narrowing).is_allowed is answer
        assert manager.might_use("ada", outside, narrowing) is answer


def test_a_reload_changes_what_a_scope_covers(manager: PermissionManager, tmp_path: Path) -> None:
    name = names(tmp_path)[0]
    assert manager.decide("ada", READ, name, ALL).is_allowed
    manager.replace(PolicyLoader().parse(POLICY.replace("[scope.all]", "[scope.none]"), base=tmp_path.resolve()))
    assert not manager.decide("ada", READ, name, ALL).is_allowed
    assert manager.decide("ada", READ, name).is_allowed


def test_tokens_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    policy = PolicyLoader().parse(POLICY, base=tmp_path.resolve())
    manager = PermissionManager(policy=policy, max_cached_decisions=10)
    evaluator: PolicyEvaluator = manager._generation.evaluator
    for number in range(MAX_NARROWINGS + 50):
        narrowing = Narrowing.of(rules=[f"FILE_READ {number}.md"])
        assert not manager.decide("ada", READ, names(tmp_path)[0], narrowing).is_allowed
        assert manager.decide("ada", READ, f"{tmp_path.resolve()}/notes/{number}.md", narrowing).is_allowed
        manager.might_use("ada", Permission(READ), narrowing)
    assert len(manager._generation.narrowed) <= 10
    assert len(manager._generation.prospects) <= 10
    assert 0 < len(evaluator._narrowings) <= MAX_NARROWINGS


def test_a_counted_grant_is_counted_with_a_token_too(manager: PermissionManager, tmp_path: Path) -> None:
    name = names(tmp_path)[3]
    decision = manager.decide_use("ada", READ, name, ALL)
    assert (decision.effect, decision.rule) == (Effect.ALLOW, "ada.grant[0]")
    assert decision.uses is not None
    assert manager.spend([decision.uses])
    assert not manager.decide_use("ada", READ, name, ALL).is_allowed
    assert manager._generation.narrowed == {}
