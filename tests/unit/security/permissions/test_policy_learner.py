from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions import policy_learner
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_learner import PolicyLearner
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.recorded_question import RecordedQuestion

ALLOW, ASK, DENY = Effect.ALLOW, Effect.ASK, Effect.DENY


def asked(kind: str, resource: str, effect: Effect, client: str = "ada") -> RecordedQuestion:
    return RecordedQuestion(client, PermissionType(kind), resource, effect, 0.0)


def load(text: str) -> Policy:
    return PolicyLoader(realpath=lambda path: path, isdir=lambda path: True).parse(text)


LOG = [
    asked("FILE_READ", "/srv/n/a.md", ALLOW),
    asked("FILE_READ", "/srv/n/sub/b.md", ALLOW),
    asked("FILE_READ", "/srv/n/a.md", ALLOW),
    asked("FILE_WRITE", "/srv/n/a.md", ASK),
    asked("DIRECTORY_LIST", "/srv/n", ALLOW),
    asked("FILE_READ", "/srv/n/secret", DENY),
    asked("CODE_EXECUTION", "python", ALLOW),
    asked("NETWORK_CONNECT", "api.example.org:443", ALLOW),
    asked("FILE_READ", "/home/e/x", ALLOW, "e.ve"),
]


def test_every_question_is_decided_as_recorded_and_nothing_else_is_granted() -> None:
    text, left_out = PolicyLearner(LOG).learn()
    assert left_out == ()
    policy = load(text)
    evaluator = PolicyEvaluator(policy)
    for each in LOG:
        assert evaluator.decide(each.client, each.type, each.resource).effect is each.effect
    assert policy.clients["ada"].folders == ("/srv/n",)
    assert "*" not in text
    for kind, resource in (("FILE_READ", "/srv/n/c.md"), ("FILE_WRITE", "/srv/n/sub/b.md"), ("CODE_EXECUTION", "x")):
        assert evaluator.decide("ada", PermissionType(kind), resource).effect is DENY
    assert evaluator.decide("e.ve", PermissionType.FILE_READ, "/srv/n/a.md").effect is DENY


def test_without_any_one_rule_something_of_the_log_is_refused() -> None:
    text, _ = PolicyLearner(LOG).learn()
    lines = text.splitlines()
    rules = [at for at, line in enumerate(lines) if line.startswith("  ")]
    assert len(rules) == 7
    for at in rules:
        evaluator = PolicyEvaluator(load("\n".join(line for number, line in enumerate(lines) if number != at)))
        assert any(evaluator.decide(each.client, each.type, each.resource).effect is not each.effect for each in LOG)


def test_what_was_refused_once_is_not_granted_and_is_told() -> None:
    text, left_out = PolicyLearner([*LOG, asked("FILE_READ", "/srv/n/a.md", DENY)]).learn()
    assert "FILE_READ /srv/n/a.md" not in text
    assert left_out == ("ada: FILE_READ '/srv/n/a.md' was refused as well as granted; it is not granted",)


def test_who_was_asked_once_is_asked_again() -> None:
    text, _ = PolicyLearner([asked("CUSTOM_X", "a", ASK), asked("CUSTOM_X", "a", ALLOW)]).learn()
    assert "ask = [" in text
    assert "allow" not in text


def test_a_directory_is_granted_only_when_that_is_wanted_and_nothing_in_it_was_refused() -> None:
    log = [asked("FILE_READ", f"/srv/n/{name}", ALLOW) for name in "abc"]
    assert "*" not in PolicyLearner(log).learn()[0]
    assert "*" not in PolicyLearner(log, by_directory=4).learn()[0]
    wide, left_out = PolicyLearner(log, by_directory=3).learn()
    assert "FILE_READ /srv/n/*" in wide
    assert left_out == ()
    refused, left_out = PolicyLearner([*log, asked("FILE_READ", "/srv/n/d", DENY)], by_directory=2).learn()
    assert "*" not in refused
    assert left_out == ()


def test_a_name_that_no_pattern_can_write_is_not_granted_where_it_would_grant_what_was_refused() -> None:
    star = asked("FILE_READ", "/srv/n/a*b", ALLOW)
    text, left_out = PolicyLearner([star]).learn()
    assert "FILE_READ /srv/n/a?b" in text
    assert left_out == ()
    text, left_out = PolicyLearner([star, asked("FILE_READ", "/srv/n/axb", DENY)]).learn()
    assert "a?b" not in text
    assert "leaves out what was refused" in left_out[0]


@pytest.mark.parametrize(("kind", "resource"), [("CUSTOM_X", "a*"), ("CUSTOM_X", " a"), ("FILE_READ", "/srv/a ")])
def test_what_cannot_be_written_is_told(kind: str, resource: str) -> None:
    text, left_out = PolicyLearner([asked(kind, resource, ALLOW), asked("CUSTOM_X", "b", ALLOW)]).learn()
    assert "CUSTOM_X b" in text
    assert len(left_out) == 1
    assert "cannot be written" in left_out[0]


def test_the_folders_are_those_of_the_policy_where_one_is_named() -> None:
    write = asked("FILE_WRITE_GLOBAL", "/srv/n/g/a", ALLOW)
    read = asked("FILE_READ", "/srv/n/g/b", ALLOW)
    assert PolicyLearner([write, read]).learn()[1] == ()
    # The innermost directory of both is the same, and cannot be of both kinds.
    own = asked("FILE_WRITE", "/srv/n/g/b", ALLOW)
    assert "name the policy it was recorded under" in PolicyLearner([write, own]).learn()[1][0]
    read = asked("FILE_WRITE", "/srv/n/b", ALLOW)
    profile = ClientProfile("ada", folders=("/srv/n",), global_folders=("/srv/n/g",))
    text, left_out = PolicyLearner([write, read], policy=Policy({"ada": profile})).learn()
    assert left_out == ()
    assert load(text).clients["ada"].global_folders == ("/srv/n/g",)


def test_a_policy_that_would_grant_what_was_refused_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = [asked("CUSTOM_X", "a", ALLOW), asked("CUSTOM_X", "b", DENY)]
    assert PolicyLearner(log).learn()[1] == ()
    monkeypatch.setattr(policy_learner, "_written", lambda kind, resource: "*")
    with pytest.raises(ConfigurationError, match="was refused to 'ada'"):
        PolicyLearner(log).learn()


def test_nothing_teaches_nothing() -> None:
    assert PolicyLearner([]).learn() == ("version = 1\n", ())
