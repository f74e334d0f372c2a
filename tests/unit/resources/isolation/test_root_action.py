from __future__ import annotations

from typing import Any

import pytest

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.root_action import RootAction


def action(text: str, program: str = "/usr/bin/systemctl") -> RootAction:
    return RootAction("act", program, ArgumentForm(text))


def test_the_client_has_the_slots_and_nothing_else() -> None:
    found = action("restart {unit:nginx|redis} -n {count:int} --as {user:name}")
    assert found.command({"unit": "redis", "count": 3, "user": "www-data"}) == (
        *("/usr/bin/systemctl", "restart", "redis"),
        *("-n", "3", "--as", "www-data"),
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "'unit' must be nginx or redis"),
        ({"unit": "ssh"}, "'unit' must be"),
        ({"unit": "nginx redis"}, "'unit' must be"),
        ({"unit": "nginx\n"}, "'unit' must be"),
        ({"unit": ["nginx"]}, "'unit' must be"),
        ({"unit": "nginx|redis"}, "'unit' must be"),
        ({"unit": None}, "'unit' must be"),
        ({"unit": "nginx", "program": "/bin/sh"}, "there is no slot 'program'"),
        ({"unit": "nginx", "": "x"}, "there is no slot ''"),
    ],
)
def test_what_does_not_fit_is_told_by_the_slot(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        action("restart {unit:nginx|redis}").command(values)


@pytest.mark.parametrize("value", [True, 1.5, "-1", "1e3", "", " 1", "\u0661", "1\n", [1], {}, -1])
def test_a_whole_number_is_nothing_else(value: Any) -> None:
    with pytest.raises(ValueError, match="'n' must be int"):
        action("{n:int}").command({"n": value})


@pytest.mark.parametrize(
    "value", ["-x", "--now", ".", "..", "../x", "/etc/shadow", "a/b", "a b", "a;b", "$(id)", "a*", "a=b", "é", ""]
)
def test_a_name_is_no_path_no_option_and_no_pattern(value: str) -> None:
    with pytest.raises(ValueError, match="'n' must be name"):
        action("{n:name}").command({"n": value})


@pytest.mark.parametrize(
    "text", ["{a:text}", "{a:path}", "{a:word}", "{a:revision}", "{a:name...}", "{a:int...}", "{a:on|off...}"]
)
def test_slots_that_take_more_than_a_word_are_not_for_root(text: str) -> None:
    with pytest.raises(ValueError, match="must be int, name, or words"):
        action(text)


@pytest.mark.parametrize(
    "program", ["systemctl", "./x", "/usr/bin/../x", "//usr/bin/x", "", "~/x", "/usr/bin/", "/a\nb"]
)
def test_a_program_is_named_in_full(program: str) -> None:
    with pytest.raises(ValueError, match="path"):
        action("", program)


def test_what_it_can_be_is_listed_where_that_can_be() -> None:
    assert list(action("{a:x|y} {b:1|2}").commands() or ()) == [
        ("/usr/bin/systemctl", *pair) for pair in (("x", "1"), ("x", "2"), ("y", "1"), ("y", "2"))
    ]
    assert list(action("status").commands() or ()) == [("/usr/bin/systemctl", "status")]
    assert action("{n:int}").commands() is None


def test_a_human_confirms_it_unless_the_operator_says_otherwise() -> None:
    assert action("status").to_json() == {
        "arguments": "status",
        "calls_per_hour": 6,
        "confirm": True,
        "program": "/usr/bin/systemctl",
        "timeout_seconds": 60.0,
    }
