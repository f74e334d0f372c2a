from __future__ import annotations

from collections.abc import Callable

import pytest

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_expectation import PolicyExpectation

Parse = Callable[[str], Policy]
TEXT = """
[client.ada]
folders = ["Notes"]
allow = ["FILE_READ *.md"]
[[client.ada.grant]]
allow = "FILE_READ a.txt"
expires = 1970-01-01T00:00:10Z
[[client.ada.grant]]
allow = "FILE_READ b.txt"
max_uses = 1
[client.eve]
"""
READ = PermissionType.FILE_READ


@pytest.mark.parametrize(
    ("client", "resource", "effect", "at", "now"),
    [
        ("ada", "a.md", "allow", None, 0.0),
        ("ada", "a.jpg", "deny", None, 0.0),
        ("ada", "a.txt", "allow", None, 0.0),
        ("ada", "a.txt", "deny", None, 10.0),
        ("ada", "a.txt", "allow", 9.0, 10.0),
        ("ada", "b.txt", "allow", None, 0.0),
        ("eve", "/a.md", "deny", None, 0.0),
        ("nobody", "a.md", "deny", None, 0.0),
    ],
)
def test_a_policy_is_held_against_what_is_expected(
    parse: Parse, client: str, resource: str, effect: str, at: float | None, now: float
) -> None:
    for expected in Effect:
        problem = PolicyExpectation(client, READ, resource, expected, at).problem(parse(TEXT), now=now)
        if expected.value == effect:
            assert problem is None
        else:
            assert problem is not None
            assert f"is {effect} by" in problem
            assert f"{expected.value} was expected" in problem


def test_a_relative_path_of_a_client_without_folders_cannot_be_asked(parse: Parse) -> None:
    problem = PolicyExpectation("eve", READ, "a.md", Effect.DENY).problem(parse(TEXT), now=0.0)
    assert problem is not None
    assert "no folder" in problem
