"""Small worlds: few names, few signs, so that rules and resources meet often.

Beside the tests and not in `conftest.py`, for a state machine is declared before there are fixtures.
"""

from __future__ import annotations

from hypothesis import strategies as st

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.rule_compiler import RuleCompiler

OWN, FURTHER = ("/h/n", "/h/m"), ("/h/n/g", "/s")
CLIENTS = ("ada", "eve")
KINDS = tuple(
    PermissionType(name)
    for name in ("FILE_READ", "FILE_WRITE", "FILE_WRITE_GLOBAL", "DIRECTORY_LIST", "CODE_EXECUTION", "CUSTOM_X")
)
COMPILER = RuleCompiler(realpath=lambda path: path)

segments = st.sampled_from(["a", "b", "A", "*", "?", "a*", "*b", ".ssh", "é", "e\u0301", "g"])
relative_patterns = st.lists(st.one_of(segments, st.just("**")), min_size=1, max_size=4).map("/".join)
absolute_patterns = st.tuples(
    st.sampled_from(["/h/n", "/h/m", "/s", "/h/n/g", "/h", "/*/n", "/**"]), relative_patterns
).map("/".join)
names = st.sampled_from(["a", "b", "A", "ab", ".ssh", ".SSH", "é", "e\u0301", "g", "x", ".s\u200bsh"])
paths = st.tuples(
    st.sampled_from(["/h/n", "/h/m", "/s", "/h/n/g", "/h", "/elsewhere", "/proc"]), st.lists(names, max_size=3)
).map(lambda pair: "/".join((pair[0], *pair[1])))
opaque_patterns = st.sampled_from(["*", "a", "A", "a*", "*b", "unrestricted", "un*", "a*b"])
opaque_resources = st.sampled_from(["a", "A", "ab", "b", "axb", "unrestricted", "x"])
kinds = st.sampled_from(KINDS)
resources = kinds.flatmap(lambda kind: st.tuples(st.just(kind), paths if kind.is_path else opaque_resources))


def _texts(kind: PermissionType, *, for_client: bool) -> st.SearchStrategy[str]:
    if not kind.is_path:
        return st.one_of(st.just(str(kind)), opaque_patterns.map(lambda text: f"{kind} {text}"))
    near = relative_patterns if for_client else relative_patterns.map(lambda text: f"**/{text}")
    return st.one_of(st.just(str(kind)), st.one_of(near, absolute_patterns).map(lambda text: f"{kind} {text}"))


client_texts = kinds.flatmap(lambda kind: _texts(kind, for_client=True))
common_texts = kinds.flatmap(lambda kind: _texts(kind, for_client=False))


def client_rules(effect: Effect, texts: list[str], owner: str = "ada") -> tuple[PolicyRule, ...]:
    found = []
    for at, text in enumerate(texts):
        try:
            rule = COMPILER.for_client(
                f"{owner}.{effect}[{at}]", effect, text, client=owner, folders=OWN, global_folders=FURTHER
            )
        except ConfigurationError:
            # The one refusal these worlds can meet: an absolute pattern that reaches none of the folders.
            continue
        found.append(rule)
    return tuple(found)


def common_rules(effect: Effect, texts: list[str], owner: str) -> tuple[PolicyRule, ...]:
    return tuple(COMPILER.for_everybody(f"{owner}.{effect}[{at}]", effect, text) for at, text in enumerate(texts))


def _lists(texts: st.SearchStrategy[str], size: int) -> st.SearchStrategy[list[str]]:
    return st.lists(texts, max_size=size)


layers = st.builds(
    lambda allow, ask, deny: PolicyLayer(
        client_rules(Effect.ALLOW, allow), client_rules(Effect.ASK, ask), client_rules(Effect.DENY, deny)
    ),
    _lists(client_texts, 5),
    _lists(client_texts, 2),
    _lists(client_texts, 2),
)
profiles = st.builds(
    lambda name, rules: ClientProfile(name, folders=OWN, global_folders=FURTHER, rules=rules),
    st.sampled_from(CLIENTS),
    layers,
)
ceilings = st.one_of(
    st.none(),
    st.builds(
        lambda allow, deny: PolicyLayer(
            allow=common_rules(Effect.ALLOW, allow, "ceiling"), deny=common_rules(Effect.DENY, deny, "ceiling")
        ),
        _lists(common_texts, 6),
        _lists(common_texts, 2),
    ),
)
denials = _lists(common_texts, 2).map(lambda texts: PolicyLayer(deny=common_rules(Effect.DENY, texts, "default_deny")))
policies = st.builds(
    lambda found, ceiling, default_deny: Policy(
        {profile.name: profile for profile in found}, ceiling=ceiling, default_deny=default_deny
    ),
    st.lists(profiles, max_size=2),
    ceilings,
    denials,
)


def declared_as(kind: PermissionType) -> st.SearchStrategy[Permission]:
    return st.builds(
        Permission,
        st.just(kind),
        st.one_of(relative_patterns, absolute_patterns) if kind.is_path else opaque_patterns,
        restricted=st.sampled_from([True, True, False]),
    )


permissions = kinds.flatmap(declared_as)
