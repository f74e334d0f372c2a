from __future__ import annotations

from itertools import permutations

import pytest

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from mcp_server.security.permissions.rule_index import RuleIndex

READ = PermissionType.FILE_READ


def rule(name: str, pattern: str) -> PolicyRule:
    return PolicyRule(name, Effect.ALLOW, (READ,), pattern, (PathPattern.compile(pattern),))


@pytest.mark.parametrize("order", list(permutations(["/*/x*", "/a/xy", "/a/**", "/**"])))
def test_the_first_rule_in_the_policy_speaks_wherever_it_is_kept(order: tuple[str, ...]) -> None:
    index = RuleIndex([rule(pattern, pattern) for pattern in order], READ)
    found = index.first(PolicySubject.read(READ, "/a/xy"))
    assert found is not None
    assert found.id == order[0]


def test_rules_of_other_types_are_left_out() -> None:
    index = RuleIndex([rule("a", "/**")], PermissionType.FILE_WRITE)
    assert not index
    assert index.first(PolicySubject.read(PermissionType.FILE_WRITE, "/a")) is None


def test_the_root_is_found() -> None:
    index = RuleIndex([rule("root", "/")], READ)
    assert index.first(PolicySubject.read(READ, "/")) is not None


def test_exact_and_wild_texts_are_found() -> None:
    kind = PermissionType.NETWORK_CONNECT
    rules = [
        PolicyRule(text, Effect.ALLOW, (kind,), text, (ResourcePattern.compile(text),))
        for text in ("A:1", "b:*", "a:1")
    ]
    index = RuleIndex(rules, kind)
    found = [index.first(PolicySubject.read(kind, text)) for text in ("a:1", "A:1", "b:9", "c:1")]
    assert [each and each.id for each in found] == ["a:1", "A:1", "b:*", None]
