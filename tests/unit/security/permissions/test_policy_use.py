from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_use import unused_rules
from mcp_server.security.permissions.recorded_question import RecordedQuestion

Parse = Callable[[str], Policy]
TEXT = """
[ceiling]
allow = ["FILE_READ", "FILE_WRITE"]
deny = ["FILE_READ **/*.key"]
[default_deny]
extra = ["FILE_READ **/*.pem"]
[client.ada]
folders = ["Notes"]
allow = ["FILE_READ **", "FILE_READ *.md"]
ask = ["FILE_READ ask"]
deny = ["FILE_READ never"]
[[client.ada.grant]]
allow = "FILE_WRITE a"
expires = 1970-01-01T00:00:10Z
[[client.ada.grant]]
allow = "FILE_WRITE b"
not_before = 1970-01-01T00:00:10Z
max_uses = 1
"""


def asked(home: Path, kind: str, name: str, at: float = 0.0) -> RecordedQuestion:
    return RecordedQuestion("ada", PermissionType(kind), f"{home}/Notes/{name}", Effect.ALLOW, at)


def test_a_rule_is_used_when_it_speaks_whatever_is_decided(parse: Parse, home: Path) -> None:
    def unused(*questions: RecordedQuestion) -> list[str]:
        return [rule.id for rule in unused_rules(parse(TEXT), questions)]

    everything = unused()
    assert everything == [
        "default_deny.extra[0]",
        "ceiling.allow[0]",
        "ceiling.allow[1]",
        "ceiling.deny[0]",
        "ada.allow[0]",
        "ada.allow[1]",
        "ada.ask[0]",
        "ada.deny[0]",
        "ada.grant[0]",
        "ada.grant[1]",
    ]
    # The first of several speaks; the other one could go.
    used = set(everything) - set(unused(asked(home, "FILE_READ", "x.md")))
    assert used == {"ceiling.allow[0]", "ada.allow[0]"}
    questions = [asked(home, "FILE_READ", name) for name in ("x", "x.key", "x.pem", "ask", "never")]
    assert unused(*questions) == ["ceiling.allow[1]", "ada.allow[1]", "ada.grant[0]", "ada.grant[1]"]


def test_a_grant_is_asked_at_the_time_of_the_record(parse: Parse, home: Path) -> None:
    def used(name: str, at: float) -> bool:
        found = unused_rules(parse(TEXT), [asked(home, "FILE_WRITE", name, at)])
        return f"ada.grant[{'ab'.index(name)}]" not in {rule.id for rule in found}

    assert (used("a", 9.9), used("a", 10.0), used("b", 9.9), used("b", 10.0)) == (True, False, False, True)
