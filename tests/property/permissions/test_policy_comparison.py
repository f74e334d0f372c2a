"""Where a comparison says that nothing widens, no question has a more generous answer; and it does say so."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.pattern_inclusion import denials_include, grants_include, surely_apart
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_comparison import PolicyComparison
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from tests.property.permissions import worlds as world

ORDER = [Effect.DENY, Effect.ASK, Effect.ALLOW]
READ, X, CONNECT = PermissionType.FILE_READ, PermissionType.custom("CUSTOM_X"), PermissionType.NETWORK_CONNECT

segments = st.sampled_from(
    ["**", "*", "?", "a", "A", "a*", "*a", "a?", "\u00e9", "e*", "e\u0301", "\u00df", "ss", "??"]
)
path_patterns = st.lists(segments, min_size=1, max_size=4).map(lambda found: PathPattern.compile("/" + "/".join(found)))
names = st.sampled_from(["a", "A", "ab", "ba", "\u00e9", "e\u0301", "e", "\u00df", "ss", "x", "aa"])
paths = st.lists(names, min_size=1, max_size=4).map(lambda found: "/" + "/".join(found))
texts = st.text("aA*", min_size=1, max_size=5).map(ResourcePattern.compile) | st.sampled_from(
    ["unrestricted", "un*", "*"]
).map(ResourcePattern.compile)
opaque = st.text("aA", min_size=1, max_size=5) | st.just("unrestricted")
hosts = st.sampled_from(
    ["a.b", "x.a.b", "y.x.a.b", "*.a.b", "*.b", "*", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "8.8.8.0/24", "8.8.8.8",
     "[2001:4860::/32]", "[2001:4860::1]", "[::1]"]
)  # fmt: skip
endpoint_patterns = st.builds(
    lambda host, port: EndpointPattern.compile(f"{host}:{port}"), hosts, st.sampled_from(["443", "80", "*"])
)
endpoints = st.builds(
    lambda host, port: f"{host}:{port}",
    st.sampled_from(
        ["a.b", "x.a.b", "y.x.a.b", "c.b", "10.1.2.3", "10.2.0.1", "8.8.8.8", "1.1.1.1", "[2001:4860::1]", "[::1]",
         "[64:ff9b::a01:203]"]
    ),
    st.sampled_from(["443", "80"]),
)  # fmt: skip
worlds_of_patterns = st.one_of(
    st.tuples(st.just(READ), path_patterns, path_patterns, paths),
    st.tuples(st.just(X), texts, texts, opaque),
    st.tuples(st.just(CONNECT), endpoint_patterns, endpoint_patterns, endpoints),
)


def speaks(effect: Effect, kind: PermissionType, pattern: PathPattern | ResourcePattern, resource: str) -> bool:
    return PolicyRule("r", effect, (kind,), "", (pattern,)).matches(PolicySubject.read(kind, resource))


@settings(max_examples=1500)
@given(worlds_of_patterns)
def test_what_is_included_is_granted_and_denied_with_the_whole(question: tuple[object, ...]) -> None:
    kind, wide, narrow, resource = question
    if grants_include(wide, narrow) and speaks(Effect.ALLOW, kind, narrow, resource):  # type: ignore[arg-type]
        assert speaks(Effect.ALLOW, kind, wide, resource)  # type: ignore[arg-type]
    if denials_include(wide, narrow) and speaks(Effect.DENY, kind, narrow, resource):  # type: ignore[arg-type]
        assert speaks(Effect.DENY, kind, wide, resource)  # type: ignore[arg-type]
    if surely_apart(wide, narrow):  # type: ignore[arg-type]
        both = speaks(Effect.DENY, kind, wide, resource) and speaks(Effect.ALLOW, kind, narrow, resource)  # type: ignore[arg-type]
        assert not both


@settings(max_examples=1500)
@given(world.policies, world.policies, st.lists(world.resources, min_size=1, max_size=12))
def test_where_nothing_widens_no_answer_is_more_generous(
    old: Policy, new: Policy, questions: list[tuple[PermissionType, str]]
) -> None:
    before, after = PolicyEvaluator(old), PolicyEvaluator(new)
    grew = [
        (client, kind, resource)
        for client in world.CLIENTS
        for kind, resource in questions
        if ORDER.index(after.decide(client, kind, resource).effect)
        > ORDER.index(before.decide(client, kind, resource).effect)
    ]
    if grew:
        assert any(change.widens for change in PolicyComparison(old, new).changes()), grew


@settings(max_examples=300)
@given(world.policies)
@example(Policy())
def test_a_policy_widens_nothing_beside_itself_and_an_empty_one_only_narrows(policy: Policy) -> None:
    assert PolicyComparison(policy, policy).changes() == []
    empty = Policy({}, default_deny=policy.default_deny, ceiling=policy.ceiling)
    assert not any(change.widens for change in PolicyComparison(policy, empty).changes())
    assert any(change.widens for change in PolicyComparison(empty, policy).changes()) is bool(policy.clients)
