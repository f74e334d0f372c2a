from __future__ import annotations

import pytest

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern


def path_rule(effect: Effect, pattern: str) -> PolicyRule:
    return PolicyRule("r", effect, (PermissionType.FILE_READ,), "", (PathPattern.compile(pattern),))


def text_rule(effect: Effect, pattern: str) -> PolicyRule:
    return PolicyRule("r", effect, (PermissionType.CODE_EXECUTION,), "", (ResourcePattern.compile(pattern),))


@pytest.mark.parametrize("path", ["/a/.SSH/id", "/a/.s\u200bsh/id", "/a/.ssh/id"])
def test_a_denial_compares_in_the_widest_sense(path: str) -> None:
    subject = PolicySubject.read(PermissionType.FILE_READ, path)
    assert path_rule(Effect.DENY, "/**/.ssh/**").matches(subject)


def test_a_grant_compares_exactly() -> None:
    subject = PolicySubject.read(PermissionType.FILE_READ, "/a/B")
    assert not path_rule(Effect.ALLOW, "/a/b").matches(subject)
    assert not path_rule(Effect.ASK, "/a/b").matches(subject)
    assert path_rule(Effect.DENY, "/a/b").matches(subject)


def test_a_denial_still_matches_what_only_the_plain_form_matches() -> None:
    # Folded, the name is one character shorter than the wildcards ask for.
    subject = PolicySubject.read(PermissionType.FILE_READ, "/e\u0301")
    assert path_rule(Effect.DENY, "/??").matches(subject)


def test_a_rule_speaks_of_its_types_only() -> None:
    subject = PolicySubject.read(PermissionType.FILE_WRITE, "/a")
    assert not path_rule(Effect.ALLOW, "/**").matches(subject)


def test_denying_everything_denies_leaving_the_sandbox() -> None:
    subject = PolicySubject.read(PermissionType.CODE_EXECUTION, "unrestricted")
    assert text_rule(Effect.DENY, "*").matches(subject)
    assert text_rule(Effect.DENY, "UNRESTRICTED").matches(subject)
    assert not text_rule(Effect.ALLOW, "*").matches(subject)
    assert text_rule(Effect.ALLOW, "unrestricted").matches(subject)
