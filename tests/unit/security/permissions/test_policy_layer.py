from __future__ import annotations

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject

READ = PermissionType.FILE_READ


def rule(effect: Effect) -> PolicyRule:
    return PolicyRule(f"{effect}", effect, (READ,), "", (PathPattern.compile("/a"),))


def test_each_effect_has_its_rules() -> None:
    layer = PolicyLayer(allow=(rule(Effect.ALLOW),), ask=(rule(Effect.ASK),), deny=(rule(Effect.DENY),))
    subject = PolicySubject.read(READ, "/a")
    assert {str(effect): getattr(layer.rule_for(effect, subject), "id", None) for effect in Effect} == {
        "allow": "allow",
        "ask": "ask",
        "deny": "deny",
    }


def test_what_was_asked_before_does_not_make_layers_different() -> None:
    asked, fresh = PolicyLayer(allow=(rule(Effect.ALLOW),)), PolicyLayer(allow=(rule(Effect.ALLOW),))
    asked.rule_for(Effect.ALLOW, PolicySubject.read(READ, "/a"))
    assert asked == fresh
    assert hash(asked) == hash(fresh)
