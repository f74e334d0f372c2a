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
