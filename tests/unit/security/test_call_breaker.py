from __future__ import annotations

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.audit.argument_digester import ArgumentDigester
from mcp_server.security.call_breaker import MAX_REMEMBERED, CallBreaker, identity_of
from tests.security.chain.chain_rig import nothing, operation

DIGESTER = ArgumentDigester(bytes(32))


def identity(arguments: dict[str, object], **settings: str) -> int:
    plan = operation(nothing, arguments=arguments, **settings)
    return identity_of(plan, DIGESTER.digest_json(arguments))


def test_as_many_as_allowed_pass_and_the_next_is_told_when_to_come_back() -> None:
    breaker = CallBreaker()
    for _ in range(3):
        breaker.count(1, now=10.0, most=3)
    with pytest.raises(LimitExceededError) as caught:
        breaker.count(1, now=30.0, most=3)
    assert caught.value.limit == "identical_calls"
    assert caught.value.retry_after_seconds == 40.0
    assert "3 times" in str(caught.value)
    assert "stop" in str(caught.value)


def test_a_refusal_does_not_make_the_wait_longer() -> None:
    breaker = CallBreaker()
    breaker.count(1, now=0.0, most=1)
    for second in range(1, 60):
        with pytest.raises(LimitExceededError):
            breaker.count(1, now=float(second), most=1)
    breaker.count(1, now=60.0, most=1)
    with pytest.raises(LimitExceededError):
        breaker.count(1, now=119.0, most=1)
    breaker.count(1, now=120.0, most=1)


def test_other_calls_in_between_hide_nothing() -> None:
    breaker = CallBreaker()
    for number in range(1, MAX_REMEMBERED):
        breaker.count(0, now=0.0, most=MAX_REMEMBERED)
        breaker.count(number, now=0.0, most=1)
    breaker.count(0, now=0.0, most=MAX_REMEMBERED)
    with pytest.raises(LimitExceededError):
        breaker.count(0, now=0.0, most=MAX_REMEMBERED)


def test_what_is_remembered_is_bounded_and_the_oldest_window_goes_first() -> None:
    breaker = CallBreaker()
    for number in range(MAX_REMEMBERED):
        breaker.count(number, now=0.0, most=1)
    breaker.count(0, now=60.0, most=1)  # its window is the newest now
    breaker.count(-1, now=60.0, most=1)
    with pytest.raises(LimitExceededError):
        breaker.count(0, now=61.0, most=1)
    with pytest.raises(LimitExceededError):
        breaker.count(2, now=59.0, most=1)
    breaker.count(1, now=59.0, most=1)  # forgotten for the sake of -1
    assert len(breaker._counts) == MAX_REMEMBERED


def test_a_lower_limit_of_a_reloaded_policy_counts_at_once() -> None:
    breaker = CallBreaker()
    for _ in range(5):
        breaker.count(1, now=0.0, most=10)
    with pytest.raises(LimitExceededError):
        breaker.count(1, now=0.0, most=5)
    breaker.count(1, now=0.0, most=10)


def test_the_same_arguments_are_the_same_call_in_any_order() -> None:
    assert identity({"a": "x", "b": 1}) == identity({"b": 1, "a": "x"})


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ({"text": "b"}, {}),
        ({"text": "a", "more": 1}, {}),
        ({"text": "a"}, {"name": "other"}),
        ({"text": "a"}, {"kind": "prompts/get"}),
        ({}, {}),
    ],
)
def test_whatever_differs_makes_another_call(arguments: dict[str, object], settings: dict[str, str]) -> None:
    assert identity(arguments, **settings) != identity({"text": "a"})


def test_arguments_that_the_record_leaves_out_are_told_apart_all_the_same() -> None:
    assert b'"omitted"' in DIGESTER.digest_json({"page_token": "a"})
    assert identity({"page_token": "a"}) != identity({"page_token": "b"})
    assert identity({"page_token": "a"}) == identity({"page_token": "a"})
    assert identity({"deep": [{"token": "a"}]}) != identity({"deep": [{"token": "b"}]})


def test_many_and_large_arguments_are_told_apart() -> None:
    many: dict[str, object] = {f"a{number}": number for number in range(100)}
    assert identity(many) != identity(many | {"a99": 100})
    large: dict[str, object] = {"rows": [{"value": "x" * 50} for _ in range(1000)]}
    other: dict[str, object] = {"rows": [{"value": "x" * 50} for _ in range(999)] + [{"value": "y" * 50}]}
    assert identity(large) != identity(other)
