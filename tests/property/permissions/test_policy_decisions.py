"""What holds for every policy: a denial wins, a layer narrows, nothing is hidden that might be used."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from tests.property.permissions import worlds as world

WIDTH = {Effect.DENY: 0, Effect.ASK: 1, Effect.ALLOW: 2}


def effect(policy: Policy, kind: PermissionType, resource: str) -> Effect:
    return PolicyEvaluator(policy).decide("ada", kind, resource).effect


def with_rules(policy: Policy, rules: PolicyLayer) -> Policy:
    return replace(policy, clients={**policy.clients, "ada": replace(policy.clients["ada"], rules=rules)})


def linear(layer: PolicyLayer, wanted: Effect, subject: PolicySubject) -> object:
    return next((rule for rule in layer.rules(wanted) if rule.matches(subject)), None)


@settings(max_examples=120)
@given(st.data())
def test_the_index_finds_what_looking_at_every_rule_finds(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    subject = PolicySubject.read(kind, resource)
    layers = [policy.default_deny, *(profile.rules for profile in policy.clients.values())]
    for layer in layers:
        for wanted in Effect:
            assert layer.rule_for(wanted, subject) is linear(layer, wanted, subject)


@settings(max_examples=120)
@given(st.data())
def test_a_denial_of_any_layer_always_wins(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    subject = PolicySubject.read(kind, resource)
    layers = [policy.default_deny]
    layers += [] if policy.ceiling is None else [policy.ceiling]
    layers += [policy.clients["ada"].rules] if "ada" in policy.clients else []
    if any(rule.matches(subject) for layer in layers for rule in layer.deny):
        assert effect(policy, kind, resource) is Effect.DENY


@settings(max_examples=120)
@given(st.data())
def test_nothing_is_granted_without_a_grant_in_every_layer(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    if effect(policy, kind, resource) is Effect.DENY:
        return
    subject = PolicySubject.read(kind, resource)
    rules = policy.clients["ada"].rules
    assert any(rule.matches(subject) for rule in (*rules.allow, *rules.ask))
    assert policy.ceiling is None or any(rule.matches(subject) for rule in policy.ceiling.allow)
    assert not kind.is_path or policy.clients["ada"].holds(kind, subject.parts)


@settings(max_examples=100)
@given(st.data())
def test_narrowing_never_widens(data: st.DataObject) -> None:
    policy = data.draw(world.policies.filter(lambda each: "ada" in each.clients))
    kind, resource = data.draw(world.resources)
    before = WIDTH[effect(policy, kind, resource)]
    rules = policy.clients["ada"].rules
    ceiling = policy.ceiling or PolicyLayer()
    denial = world.client_rules(Effect.DENY, [data.draw(world.client_texts)])
    common = world.common_rules(Effect.DENY, [data.draw(world.common_texts)], "default_deny")
    ask = world.client_rules(Effect.ASK, [data.draw(world.client_texts)])
    narrower = [
        with_rules(policy, PolicyLayer(rules.allow, rules.ask, (*rules.deny, *denial))),
        with_rules(policy, PolicyLayer(rules.allow[1:], rules.ask, rules.deny)),
        replace(policy, default_deny=PolicyLayer(deny=(*policy.default_deny.deny, *common))),
        replace(policy, ceiling=PolicyLayer(allow=ceiling.allow[1:], deny=ceiling.deny)),
        replace(policy, clients={}),
    ]
    for other in narrower:
        assert WIDTH[effect(other, kind, resource)] <= before
    if before == WIDTH[Effect.ALLOW]:
        asking = with_rules(policy, PolicyLayer(rules.allow, (*rules.ask, *ask), rules.deny))
        assert WIDTH[effect(asking, kind, resource)] <= before


@settings(max_examples=120)
@given(st.data())
def test_a_ceiling_only_takes_away(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    assert WIDTH[effect(policy, kind, resource)] <= WIDTH[effect(replace(policy, ceiling=None), kind, resource)]


@settings(max_examples=100)
@given(st.data())
def test_nothing_that_might_be_used_is_hidden(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    permission = data.draw(world.declared_as(kind))
    evaluator = PolicyEvaluator(policy)
    if effect(policy, kind, resource) is Effect.DENY:
        return
    if not permission.restricted:
        declared = resource == "unrestricted" and not kind.is_path
    elif not kind.is_path:
        declared = resource != "unrestricted" and ResourcePattern.compile(permission.pattern).matches(resource)
    else:
        pattern = PathPattern.compile(permission.pattern)
        profile = policy.clients["ada"]
        declared = any(
            pattern.under(folder).matches(resource) for folder in (*profile.folders, *profile.global_folders)
        )
    assert evaluator.might_use("ada", permission) or not declared


@settings(max_examples=120)
@given(st.data())
def test_the_smallest_grant_passes_wherever_one_is_offered(data: st.DataObject) -> None:
    policy = data.draw(world.policies.filter(lambda each: "ada" in each.clients))
    kind, resource = data.draw(world.resources)
    grant = PolicyEvaluator(policy).smallest_grant("ada", kind, resource)
    rules = policy.clients["ada"].rules
    if grant:
        wider = with_rules(
            policy, PolicyLayer((*rules.allow, *world.client_rules(Effect.ALLOW, [grant])), rules.ask, rules.deny)
        )
        assert effect(wider, kind, resource) is not Effect.DENY
    else:
        assert effect(policy, kind, resource) is Effect.DENY


@settings(max_examples=120)
@given(st.data())
def test_a_decision_is_the_strictest_answer_of_the_layers(data: st.DataObject) -> None:
    policy = data.draw(world.policies)
    kind, resource = data.draw(world.resources)
    traces = PolicyEvaluator(policy).explain("ada", kind, resource)
    assert [trace.layer for trace in traces] == ["default_deny", "ceiling", "client"]
    assert effect(policy, kind, resource) is min((trace.effect for trace in traces), key=WIDTH.__getitem__)


@settings(max_examples=100)
@given(st.text(max_size=30), st.sampled_from([PermissionType.FILE_READ, PermissionType.CODE_EXECUTION]))
def test_no_resource_breaks_a_decision(resource: str, kind: PermissionType) -> None:
    policy = Policy.for_folders(["/"])
    decision = PolicyEvaluator(policy).decide("local", kind, resource)
    assert decision.rule != "evaluation-failed"
