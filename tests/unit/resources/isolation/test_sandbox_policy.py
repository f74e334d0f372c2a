from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy, check_variable

POLICIES = st.builds(
    SandboxPolicy,
    min_tier=st.sampled_from(IsolationTier),
    may_execute=st.booleans(),
    may_write=st.booleans(),
    limits=st.builds(ResourceLimits, wall_seconds=st.integers(1, 5), processes=st.integers(1, 5)),
    environment=st.dictionaries(st.sampled_from("AB"), st.sampled_from("xy")),
    network=st.lists(st.sampled_from(["a.example:443", "b.example:80", "10.0.0.1:1"]), max_size=3).map(tuple),
)


def is_within(inner: SandboxPolicy, outer: SandboxPolicy) -> bool:
    return (
        inner.min_tier >= outer.min_tier
        and inner.may_execute <= outer.may_execute
        and inner.may_write <= outer.may_write
        and inner.limits.narrow(outer.limits) == inner.limits
        and inner.environment.items() <= outer.environment.items()
        and set(inner.network) <= set(outer.network)
    )


@given(POLICIES, POLICIES)
def test_what_is_narrowed_is_within_both_and_the_widest_that_is(one: SandboxPolicy, other: SandboxPolicy) -> None:
    both = one.narrow(other)
    assert is_within(both, one)
    assert is_within(both, other)
    # The same from either side, and once and for all.
    assert both.digest == other.narrow(one).digest == both.narrow(one).digest
    assert one.narrow(one).digest == one.digest


@given(POLICIES, POLICIES, POLICIES)
def test_the_order_of_narrowing_does_not_matter(one: SandboxPolicy, two: SandboxPolicy, three: SandboxPolicy) -> None:
    assert one.narrow(two).narrow(three).digest == one.narrow(two.narrow(three)).digest


def test_nothing_is_allowed_unless_it_is_said() -> None:
    policy = SandboxPolicy()
    assert (policy.may_execute, policy.may_write, dict(policy.environment)) == (False, False, {})
    assert policy.min_tier is IsolationTier.NS
    assert policy.network == ()


@pytest.mark.parametrize("text", ["A.example:443", "a.example", "a.example.:443", "a.example:0443", "*:443", "", "1:1"])
def test_what_may_be_reached_is_written_in_its_one_form(text: str) -> None:
    assert SandboxPolicy(network=("a.example:443", "[::1]:1")).network == ("a.example:443", "[::1]:1")
    with pytest.raises(ValueError, match=r"."):
        SandboxPolicy(network=("a.example:443", text))


def test_what_may_be_reached_is_not_everything() -> None:
    ports = tuple(f"a.example:{port}" for port in range(1, 18))
    assert len(SandboxPolicy(network=ports[:16]).network) == 16
    with pytest.raises(ValueError, match="16"):
        SandboxPolicy(network=ports)


def test_the_digest_tells_networks_apart_and_not_their_order() -> None:
    one, other = "a.example:443", "b.example:443"
    assert SandboxPolicy(network=(one, other)).digest == SandboxPolicy(network=(other, one, one)).digest
    assert len({SandboxPolicy(network=each).digest for each in ((), (one,), (other,), (one, other))}) == 4


@pytest.mark.parametrize(
    "name",
    """
    LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GIT_DIR GIT_SSH_COMMAND PYTHONPATH PYTHONSTARTUP BASH_ENV BASH_FUNC_x
    NODE_OPTIONS NODE_PATH PERL5LIB PERL5OPT RUBYOPT DYLD_INSERT_LIBRARIES IFS ENV SHELLOPTS PATH HOME TMPDIR
    PAGER EDITOR
    """.split(),
)
def test_a_variable_that_changes_what_is_executed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="may change what is executed"):
        check_variable(name, "x")
    with pytest.raises(ValueError, match=name):
        SandboxPolicy(environment={name: "x"})


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A\0", "É", "A\n", "x" * 129])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a variable"):
        check_variable(name, "x")


@pytest.mark.parametrize("value", ["\0", "a\0b", "x" * 4097])
def test_what_cannot_be_a_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="too long, or holds a NUL"):
        check_variable("A", value)


@pytest.mark.parametrize(("name", "value"), [("TZ", "UTC"), ("LC_ALL", "C"), ("a_1", ""), ("X" * 128, "é\n" * 2048)])
def test_what_is_harmless_is_taken(name: str, value: str) -> None:
    check_variable(name, value)
    assert SandboxPolicy(environment={name: value}).environment == {name: value}


def test_the_digest_names_the_policy_and_nothing_else() -> None:
    one = SandboxPolicy(environment={"A": "1", "B": "2"})
    assert one.digest == SandboxPolicy(environment={"B": "2", "A": "1"}).digest
    others = [
        SandboxPolicy(),
        SandboxPolicy(may_execute=True),
        SandboxPolicy(may_write=True),
        SandboxPolicy(min_tier=IsolationTier.FULL),
        SandboxPolicy(limits=ResourceLimits(processes=1)),
        SandboxPolicy(environment={"A": "12"}),
    ]
    assert len({each.digest for each in (one, *others)}) == 7
    assert json.loads(json.dumps(one.to_json())) == one.to_json()
