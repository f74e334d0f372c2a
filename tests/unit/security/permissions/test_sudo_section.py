from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader

SUDO = """[sudo]
enabled = true
[sudo.action.restart]
program = "/usr/bin/systemctl"
arguments = "restart {unit:nginx|redis}"
timeout_seconds = 20
confirm = false
calls_per_hour = 3
[sudo.action.reload]
program = "/usr/bin/systemctl"
"""


def parse(text: str) -> Policy:
    return PolicyLoader().parse(f"version = 1\n{text}")


def client(rule: str, word: str = "allow") -> str:
    return f'[client.ada]\n{word} = ["{rule}"]\n'


def test_an_action_is_read() -> None:
    sudo = parse(SUDO + client("CODE_EXECUTION_SUDO restart")).sandbox.sudo
    assert sudo.is_enabled
    restart, plain = sudo.actions["restart"], sudo.actions["reload"]
    assert (restart.program, restart.form.text) == ("/usr/bin/systemctl", "restart {unit:nginx|redis}")
    assert (restart.timeout_seconds, restart.must_confirm, restart.calls_per_hour) == (20.0, False, 3)
    assert (plain.form.text, plain.timeout_seconds, plain.must_confirm, plain.calls_per_hour) == ("", 60.0, True, 6)


def test_without_a_word_there_is_none() -> None:
    assert not parse("").sandbox.sudo.is_enabled
    assert not parse(SUDO.replace("enabled = true", "")).sandbox.sudo.is_enabled


def test_the_actions_are_a_part_of_the_policys_digest() -> None:
    digests = {parse(text).digest for text in ("", SUDO, SUDO.replace("20", "21"), SUDO.replace("= false", "= true"))}
    assert len(digests) == 4


@pytest.mark.parametrize("word", ["allow", "ask"])
@pytest.mark.parametrize("rule", ["CODE_EXECUTION_SUDO restart", "CODE_EXECUTION_SUDO", "CODE_EXECUTION_SUDO *"])
def test_root_is_granted_to_nobody_unless_it_is_switched_on(word: str, rule: str) -> None:
    text = SUDO.replace("true", "false") + client(rule, word)
    with pytest.raises(ConfigurationError, match=r"policy:13: .* \[sudo\] enabled = true"):
        parse(text)


@pytest.mark.parametrize("word", ["allow", "ask"])
@pytest.mark.parametrize("name", ["", " *", " re*", " restart*", " *restart", " **"])
def test_names_are_written_out(word: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"policy:13: .* more than one root action"):
        parse(SUDO + client(f"CODE_EXECUTION_SUDO{name}", word))


@pytest.mark.parametrize("name", ["other", "unrestricted", "RESTART", "restart nginx"])
def test_what_is_granted_is_there(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"policy:13: .* names no root action; the policy has restart, reload"):
        parse(SUDO + client(f"CODE_EXECUTION_SUDO {name}"))


def test_the_ceiling_names_them_as_well() -> None:
    parse(SUDO + '[ceiling]\nallow = ["CODE_EXECUTION_SUDO restart"]\n')
    with pytest.raises(ConfigurationError, match="more than one root action"):
        parse(SUDO + '[ceiling]\nallow = ["CODE_EXECUTION_SUDO *"]\n')


def test_a_denial_may_be_wide() -> None:
    assert parse(client("CODE_EXECUTION_SUDO *", "deny") + '[ceiling]\nallow = []\ndeny = ["CODE_EXECUTION_SUDO"]')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sudo]\nenabled = 1", "true or false"),
        ('[sudo]\nenabled = "true"', "true or false"),
        ("[sudo]\nenabeld = true", "did you mean 'enabled'"),
        ("[sudo.action.x]", "'program' in .* is missing"),
        ('[sudo.action.x]\nprogram = "systemctl"', "absolute path"),
        ('[sudo.action.x]\nprogram = "/usr/../bin/x"', "absolute path"),
        ('[sudo.action.x]\nprogram = "/bin/x"\narguments = ["a"]', "must be a text"),
        ('[sudo.action.x]\nprogram = "/bin/x"\narguments = "{a:text}"', "must be int, name, or words"),
        ('[sudo.action.x]\nprogram = "/bin/x"\narguments = "{a:odd}"', "unknown type 'odd'"),
        ('[sudo.action.x]\nprogram = "/bin/x"\narguments = "{a:-x|y}"', "unknown type"),
        ('[sudo.action.x]\nprogram = "/bin/x"\nenvironment = {}', "unknown key 'environment'"),
        ('[sudo.action.x]\nprogram = "/bin/x"\nshell = true', "unknown key 'shell'"),
        ('[sudo.action.x]\nprogram = "/bin/x"\npassword = "x"', "unknown key 'password'"),
        ('[sudo.action.x]\nprogram = "/bin/x"\nconfirm = "no"', "true or false"),
        ('[sudo.action.x]\nprogram = "/bin/x"\ncalls_per_hour = 0', "from 1 to 600"),
        ('[sudo.action.x]\nprogram = "/bin/x"\ntimeout_seconds = 3601', "from 1 to 3600"),
        ('[sudo.action."a*"]\nprogram = "/bin/x"', "the action name"),
        ('[sudo.action."a b"]\nprogram = "/bin/x"', "the action name"),
        ('[sudo.action.unrestricted]\nprogram = "/bin/x"', "the action name"),
        ('[sudo]\nsudo = "/usr/local/bin/sudo"', "unknown key 'sudo'"),
        ("[sudo]\naction = 1", "must be a table"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"policy:\d+: .*{told}"):
        parse(text)
