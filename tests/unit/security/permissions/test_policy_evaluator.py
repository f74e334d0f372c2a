from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import FAILED, MALFORMED, PolicyEvaluator
from mcp_server.security.permissions.policy_layer import PolicyLayer

READ, WRITE = PermissionType.FILE_READ, PermissionType.FILE_WRITE
CODE = PermissionType.CODE_EXECUTION
Parse = Callable[[str], Policy]

NOTES = """
[client.ada]
folders = ["Notes"]
global_folders = ["Shared"]
allow = ["FILE_READ **/*.md", "DIRECTORY_LIST **", "FILE_READ secret.txt", "CODE_EXECUTION python"]
ask = ["FILE_WRITE resumes/*.md", "FILE_READ resumes/**", "FILE_WRITE_GLOBAL **"]
deny = ["FILE_READ private/**", "FILE_READ secret.txt.md"]
"""


@pytest.mark.parametrize(
    ("kind", "path", "effect", "rule", "layer"),
    [
        (READ, "Notes/a.md", "allow", "ada.allow[0]", "client"),
        (READ, "Notes/x/a.md", "allow", "ada.allow[0]", "client"),
        (READ, "Notes/resumes/a.md", "ask", "ada.ask[1]", "client"),
        (READ, "Notes/private/a.md", "deny", "ada.deny[0]", "client"),
        (READ, "Notes/PRIVATE/a.md", "deny", "ada.deny[0]", "client"),
        (READ, "Notes/a.txt", "deny", "", "none"),
        (READ, "Notes/.ssh/a.md", "deny", "default_deny.shipped[0]", "default_deny"),
        (READ, "Shared/a.md", "deny", "", "none"),
        (READ, "other/a.md", "deny", "ada.folders", "client"),
        (WRITE, "Notes/resumes/a.md", "ask", "ada.ask[0]", "client"),
        (WRITE, "Notes/a.md", "deny", "", "none"),
        (WRITE, "Shared/a.md", "deny", "ada.folders", "client"),
        (PermissionType.FILE_WRITE_GLOBAL, "Shared/a", "ask", "ada.ask[2]", "client"),
        (PermissionType.FILE_WRITE_GLOBAL, "Notes/a", "deny", "ada.folders", "client"),
        (PermissionType.FILE_DELETE, "Notes/a.md", "deny", "", "none"),
        (PermissionType.DIRECTORY_LIST, "Notes", "allow", "ada.allow[1]", "client"),
    ],
)
def test_deny_beats_ask_beats_allow_and_silence_is_deny(
    parse: Parse, home: Path, kind: PermissionType, path: str, effect: str, rule: str, layer: str
) -> None:
    decision = PolicyEvaluator(parse(NOTES)).decide("ada", kind, str(home / path))
    assert (decision.effect, decision.rule, decision.layer) == (effect, rule, layer)


def test_a_stranger_may_nothing(parse: Parse, home: Path) -> None:
    evaluator = PolicyEvaluator(parse(NOTES))
    decision = evaluator.decide("eve", READ, str(home / "Notes/a.md"))
    assert (decision.effect, decision.layer) == (Effect.DENY, "none")
    assert not evaluator.might_use("eve", Permission(READ))
    assert evaluator.smallest_grant("eve", READ, str(home / "Notes/a.md")) == ""


def test_an_empty_policy_refuses_everything() -> None:
    evaluator = PolicyEvaluator(Policy())
    for kind in map(PermissionType, PermissionType.names()):
        assert evaluator.decide("ada", kind, "/a").effect is Effect.DENY
        assert not evaluator.might_use("ada", Permission(kind))


@pytest.mark.parametrize(
    ("kind", "resource"),
    [(READ, "a.md"), (READ, "/a/../b"), (READ, ""), (READ, "/a\0"), (READ, "/\udcff"), (READ, "/a/"), (CODE, ""),
     (CODE, "a\nb"), (CODE, "x" * 5000)],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(parse: Parse, kind: PermissionType, resource: str) -> None:
    evaluator = PolicyEvaluator(parse('[client.ada]\nfolders = ["/"]\nallow = ["FILE_READ **", "CODE_EXECUTION"]'))
    decision = evaluator.decide("ada", kind, resource)
    assert (decision.effect, decision.rule) == (Effect.DENY, MALFORMED)
    (trace,) = evaluator.explain("ada", kind, resource)
    assert trace.reason
    assert evaluator.smallest_grant("ada", kind, resource) == ""


def test_an_error_in_evaluation_denies_and_is_seen(
    parse: Parse, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    policy = parse(NOTES)
    monkeypatch.setattr(PolicyLayer, "rule_for", broken)
    decision = PolicyEvaluator(policy).decide("ada", READ, str(home / "Notes/a.md"))
    assert (decision.effect, decision.rule) == (Effect.DENY, FAILED)
    assert "a bug" in caplog.text


CEILING = """
[ceiling]
allow = ["FILE_READ {home}/**", "CODE_EXECUTION", "FILE_WRITE"]
deny = ["FILE_WRITE **/*.lock"]
[client.ada]
folders = ["Notes"]
allow = ["FILE_READ **", "FILE_WRITE **", "DIRECTORY_LIST **", "CODE_EXECUTION", "CODE_EXECUTION unrestricted"]
"""


@pytest.mark.parametrize(
    ("kind", "resource", "effect", "rule", "layer"),
    [
        (READ, "{}/Notes/a", "allow", "ada.allow[0]", "client"),
        (WRITE, "{}/Notes/a.lock", "deny", "ceiling.deny[0]", "ceiling"),
        (PermissionType.DIRECTORY_LIST, "{}/Notes", "deny", "", "ceiling"),
        (CODE, "python", "allow", "ada.allow[3]", "client"),
        (CODE, "unrestricted", "deny", "", "ceiling"),
    ],
)
def test_nobody_gets_more_than_the_ceiling(
    parse: Parse, home: Path, kind: PermissionType, resource: str, effect: str, rule: str, layer: str
) -> None:
    decision = PolicyEvaluator(parse(CEILING)).decide("ada", kind, resource.format(home))
    assert (decision.effect, decision.rule, decision.layer) == (effect, rule, layer)


def test_explaining_names_every_layer(parse: Parse, home: Path) -> None:
    traces = PolicyEvaluator(parse(NOTES)).explain("ada", READ, str(home / "Notes/private/a.md"))
    assert [(trace.layer, trace.effect, trace.rule) for trace in traces] == [
        ("default_deny", Effect.ALLOW, ""),
        ("ceiling", Effect.ALLOW, ""),
        ("client", Effect.DENY, "ada.deny[0]"),
    ]
    assert traces[2].matched
    assert traces[2].pattern == "FILE_READ private/**"
    assert not traces[0].matched


@pytest.mark.parametrize(
    ("permission", "answer"),
    [
        (Permission(READ, "**"), True),
        (Permission(READ, "*.md"), True),
        (Permission(READ, "*.py"), False),
        (Permission(READ, "/etc/**"), False),
        (Permission(WRITE, "resumes/**"), True),
        (Permission(PermissionType.FILE_DELETE), False),
        (Permission(CODE), True),
        (Permission(CODE, "ruby"), False),
        (Permission(CODE, restricted=False), False),
        (Permission(READ, restricted=False), False),
        (Permission(READ, "[a]"), False),
        (Permission(PermissionType.custom("CUSTOM_PRINTER")), False),
    ],
)
def test_what_might_be_used(parse: Parse, permission: Permission, answer: bool) -> None:
    assert PolicyEvaluator(parse(NOTES)).might_use("ada", permission) is answer


def test_a_tool_that_writes_may_be_for_global_folders(parse: Parse) -> None:
    policy = parse('[client.ada]\nglobal_folders = ["Shared"]\nallow = ["FILE_WRITE_GLOBAL **"]')
    assert PolicyEvaluator(policy).might_use("ada", Permission(WRITE))


@pytest.mark.parametrize(
    "text",
    [
        'allow = ["FILE_READ **/*"]\ndeny = ["FILE_READ"]',
        'allow = ["FILE_READ **"]\n[ceiling]\nallow = ["FILE_WRITE"]',
        'allow = ["FILE_READ **"]\n[ceiling]\nallow = ["FILE_READ /elsewhere/**"]',
        'allow = ["FILE_READ **"]\n[ceiling]\nallow = ["FILE_READ /**"]\ndeny = ["FILE_READ"]',
        'allow = ["FILE_READ **"]\n[default_deny]\nextra = ["FILE_READ"]',
    ],
)
def test_what_surely_nobody_may_use_is_not_shown(parse: Parse, text: str) -> None:
    evaluator = PolicyEvaluator(parse(f'[client.ada]\nfolders = ["Notes"]\n{text}'))
    assert not evaluator.might_use("ada", Permission(READ))


def test_leaving_the_sandbox_must_be_written_out(parse: Parse) -> None:
    wide = PolicyEvaluator(parse('[client.ada]\nallow = ["CODE_EXECUTION", "SYSTEM_COMMAND *"]'))
    assert not wide.might_use("ada", Permission(CODE, restricted=False))
    assert wide.decide("ada", CODE, "unrestricted").effect is Effect.DENY
    named = PolicyEvaluator(parse('[client.ada]\nallow = ["CODE_EXECUTION unrestricted"]'))
    assert named.might_use("ada", Permission(CODE, restricted=False))
    assert named.decide("ada", CODE, "unrestricted").is_allowed
    assert not named.might_use("ada", Permission(CODE))
    assert not named.decide("ada", CODE, "python").is_allowed


@pytest.mark.parametrize(
    ("kind", "resource", "grant"),
    [
        (READ, "{}/Notes/a.txt", "FILE_READ a.txt"),
        (READ, "{}/Notes/x/we[i]rd *.txt", "FILE_READ x/we?i?rd ?.txt"),
        (READ, "{}/Notes/!a", "FILE_READ ?a"),
        (READ, "{}/Shared/a.txt", "FILE_READ {}/Shared/a.txt"),
        (PermissionType.FILE_WRITE_GLOBAL, "{}/Shared/a.txt", "FILE_WRITE_GLOBAL a.txt"),
        (PermissionType.FILE_DELETE, "{}/Notes", "FILE_DELETE {}/Notes"),
        (CODE, "ruby", "CODE_EXECUTION ruby"),
        (CODE, "unrestricted", "CODE_EXECUTION unrestricted"),
        (READ, "{}/Notes/private/a.md", ""),
        (READ, "{}/Notes/.ssh/a.md", ""),
        (READ, "{}/other", ""),
    ],
)
def test_the_smallest_grant_would_pass(
    parse: Parse, home: Path, kind: PermissionType, resource: str, grant: str
) -> None:
    path = resource.format(home)
    found = PolicyEvaluator(parse(NOTES)).smallest_grant("ada", kind, path)
    assert found == grant.format(home)
    if found:
        wider = parse(NOTES.replace("allow = [", f'allow = ["{found}", '))
        # `ask` still stands before what was asked for already.
        assert PolicyEvaluator(wider).decide("ada", kind, path).effect is not Effect.DENY


def test_no_grant_helps_against_the_ceiling(parse: Parse, home: Path) -> None:
    evaluator = PolicyEvaluator(parse(CEILING))
    assert evaluator.smallest_grant("ada", PermissionType.FILE_DELETE, str(home / "Notes/a")) == ""


@pytest.mark.parametrize(
    ("resource", "grant"),
    [
        ("api.example.org:443", "NETWORK_CONNECT api.example.org:443"),
        ("10.0.0.1:443", "NETWORK_CONNECT 10.0.0.1:443"),
        # Neither is a resource that any rule grants.
        ("API.example.org:443", ""),
        ("api.example.org", ""),
    ],
)
def test_the_smallest_grant_of_a_connection_is_one_that_can_be_written(parse: Parse, resource: str, grant: str) -> None:
    assert PolicyEvaluator(parse(NOTES)).smallest_grant("ada", PermissionType.NETWORK_CONNECT, resource) == grant


GRANTS = """
[client.ada]
folders = ["Notes"]
allow = ["FILE_READ *.md"]
ask = ["FILE_READ ask.txt"]
deny = ["FILE_READ never.txt"]
[[client.ada.grant]]
allow = "FILE_READ *.txt"
max_uses = 2
[[client.ada.grant]]
allow = "FILE_READ a.txt"
expires = 1970-01-01T00:00:20Z
[[client.ada.grant]]
ask = "FILE_READ **/*.md"
not_before = 1970-01-01T00:00:10Z
"""


@pytest.mark.parametrize(
    ("now", "left", "name", "effect", "rule", "counted"),
    [
        (None, 2, "b.txt", "allow", "ada.grant[0]", True),
        (None, 0, "b.txt", "deny", "", True),
        (None, 2, "a.txt", "allow", "ada.grant[0]", True),
        # What is not counted goes first, though it was written later.
        (0.0, 2, "a.txt", "allow", "ada.grant[1]", False),
        (20.0, 2, "a.txt", "allow", "ada.grant[0]", True),
        (20.0, 0, "a.txt", "deny", "", True),
        (0.0, 2, "a.md", "allow", "ada.allow[0]", False),
        (10.0, 2, "a.md", "ask", "ada.grant[2]", False),
        (None, 2, "a.md", "allow", "ada.allow[0]", False),
        (0.0, 2, "ask.txt", "ask", "ada.ask[0]", False),
        (0.0, 2, "never.txt", "deny", "ada.deny[0]", False),
        (0.0, 2, "a.jpg", "deny", "", False),
    ],
)
def test_grants_hold_within_their_limits_and_below_every_denial(
    parse: Parse, home: Path, now: float | None, left: int, name: str, effect: str, rule: str, counted: bool
) -> None:
    evaluator = PolicyEvaluator(parse(GRANTS), now=now, uses_left=lambda limits: left)
    decision = evaluator.decide("ada", READ, f"{home}/Notes/{name}")
    assert (decision.effect, decision.rule, decision.uses is not None) == (effect, rule, counted)


def test_without_a_time_and_without_counts_no_limited_grant_holds(parse: Parse, home: Path) -> None:
    evaluator = PolicyEvaluator(parse(GRANTS))
    for name in ("a.txt", "b.txt"):
        assert not evaluator.decide("ada", READ, f"{home}/Notes/{name}").is_allowed
    reason = evaluator.explain("ada", READ, f"{home}/Notes/a.txt")[-1].reason
    assert "ada.grant[0] would, but its uses (2) are used up; ada.grant[1] would, but it holds for a time" in reason


def test_a_tool_is_shown_while_a_grant_could_let_it_through(parse: Parse) -> None:
    text = (
        '[client.ada]\nfolders = ["Notes"]\n[[client.ada.grant]]\nallow = "FILE_READ *.txt"\n'
        "expires = 1970-01-01T00:00:20Z\n"
    )
    permission = Permission(READ, "*.txt")
    assert PolicyEvaluator(parse(text), now=0.0).might_use("ada", permission)
    assert not PolicyEvaluator(parse(text), now=20.0).might_use("ada", permission)


def test_the_ceiling_bounds_grants_too(parse: Parse, home: Path) -> None:
    policy = parse('[ceiling]\nallow = ["FILE_READ **/*.md"]\n' + GRANTS)
    evaluator = PolicyEvaluator(policy, now=0.0, uses_left=lambda limits: 1)
    assert evaluator.decide("ada", READ, f"{home}/Notes/a.md").is_allowed
    assert evaluator.decide("ada", READ, f"{home}/Notes/a.txt").layer == "ceiling"
