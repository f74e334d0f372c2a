from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.narrowing import (
    MAX_NARROWING_RULES,
    MAX_NARROWING_SCOPES,
    MAX_RULE_CHARACTERS,
    Narrowing,
)


def test_what_says_the_same_is_the_same() -> None:
    one = Narrowing.of(rules=["FILE_READ b", "FILE_READ a"], scopes=["y", "x", "y"])
    other = Narrowing.of(rules=("FILE_READ a", "FILE_READ b", "FILE_READ a"), scopes=("x", "y"))
    assert one == other
    assert (one.digest, hash(one)) == (other.digest, hash(other))


def test_what_says_something_else_has_another_digest() -> None:
    narrowings = [
        Narrowing(),
        Narrowing.of(rules=["a"]),
        Narrowing.of(scopes=["a"]),
        Narrowing.of(rules=["a", "b"]),
        Narrowing.of(rules=['a","b']),
        Narrowing.of(rules=["a"], scopes=["b"]),
        Narrowing.of(rules=["\ud800"]),
    ]
    assert len({each.digest for each in narrowings}) == len(narrowings)


@pytest.mark.parametrize(
    ("rules", "scopes", "message"),
    [
        ([str(at) for at in range(MAX_NARROWING_RULES + 1)], [], "65 rules"),
        ([], [str(at) for at in range(MAX_NARROWING_SCOPES + 1)], "65 scopes"),
        (["x" * (MAX_RULE_CHARACTERS + 1)], [], "more than 1024 characters"),
        ([], ["x" * (MAX_RULE_CHARACTERS + 1)], "more than 1024 characters"),
    ],
)
def test_a_token_cannot_say_without_end(rules: list[str], scopes: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Narrowing.of(rules=rules, scopes=scopes)


def test_what_is_just_short_enough_is_read() -> None:
    Narrowing.of(rules=[f"{at:0{MAX_RULE_CHARACTERS}}" for at in range(MAX_NARROWING_RULES)])
    assert len(Narrowing.of(scopes=[str(at) for at in range(MAX_NARROWING_SCOPES)]).scopes) == MAX_NARROWING_SCOPES
