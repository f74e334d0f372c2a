from __future__ import annotations

import pytest

from mcp_server.resources.isolation.sudo_rule import SudoRule

LISTING = """Matching Defaults entries for ada on desk:
    env_reset, mail_badpass,
    secure_path=/usr/sbin\\:/usr/bin, use_pty

User ada may run the following commands on desk:

Sudoers entry: /etc/sudoers.d/mcp
    RunAsUsers: root
    Options: !authenticate
    Timeout: 30
    Commands:
\t/usr/bin/systemctl restart nginx
\t/usr/bin/printf a\\,b c

Sudoers entry:
    RunAsUsers: ALL
    RunAsGroups: ALL
    Commands:
\tALL

LDAP Role: wheel
    RunAsUsers: root, ada
    Options: setenv, !authenticate
    Commands:
\t/usr/bin/id ""
"""


def test_every_entry_of_a_listing_is_read() -> None:
    first, second, third = SudoRule.read_all(LISTING)
    assert first.commands == ("/usr/bin/systemctl restart nginx", "/usr/bin/printf a\\,b c")
    assert (first.is_passwordless, first.has_timeout, first.run_as) == (True, True, ("root",))
    assert (second.is_passwordless, second.has_timeout, second.run_as) == (False, False, ("ALL",))
    assert (third.options, third.run_as) == (("setenv", "!authenticate"), ("root", "ada"))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "Sorry, user ada may not run sudo on desk.\n", "Sudoers entry:\n    Commands:\n"]
)
def test_a_listing_of_nothing_has_no_rules(text: str) -> None:
    assert SudoRule.read_all(text) == ()


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/systemctl restart nginx",
        '/usr/bin/id ""',
        "/usr/bin/seq ^[0-9]{1\\,3}$",
        "/usr/bin/systemctl ^restart (nginx|redis)$",
        "/usr/bin/printf \\*",
        "sha256:0123 /usr/bin/systemctl restart nginx",
        "/usr/bin/pkcheck ^a\\.b$",
    ],
)
def test_an_exact_rule_is_exact(command: str) -> None:
    assert SudoRule.looseness(command) is None


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("ALL", "every command"),
        ("/usr/bin/systemctl", "any arguments"),
        ("/usr/bin/systemctl restart *", "wildcard"),
        ("/usr/bin/systemctl restart ngin?", "wildcard"),
        ("/usr/bin/systemctl restart [a-z]", "wildcard"),
        ("/usr/bin/* restart", "wildcard"),
        ("^/usr/bin/.*$ x", "wildcard"),
        ("/usr/bin/systemctl ^restart .*$", "takes any character"),
        ("/usr/bin/systemctl ^restart [^ ]+$", "takes any character"),
        ("/usr/bin/systemctl ^restart [a-z]*", "wildcard"),
        ("/usr/bin/", "every program"),
        ("!/usr/bin/systemctl stop nginx", "exclusion"),
        ("sudoedit /etc/hosts", "no command"),
        ("/usr/bin/vim /etc/hosts", "run anything"),
        ("/usr/bin/less /var/log/syslog", "run anything"),
        ("/usr/bin/python3.11 /opt/x.py", "run anything"),
        ("/usr/bin/python3 /opt/x.py", "run anything"),
        ("/bin/sh -c id", "run anything"),
        ('/usr/bin/env ""', "run anything"),
        ("sha512:0123 /bin/bash -c id", "run anything"),
    ],
)
def test_what_a_rule_takes_beyond_one_command_is_told(command: str, told: str) -> None:
    found = SudoRule.looseness(command)
    assert found is not None
    assert told in found


@pytest.mark.parametrize(
    ("command", "wanted", "same"),
    [
        ("/usr/bin/id -u", ["/usr/bin/id", "-u"], True),
        ("/usr/bin/printf a\\,b c", ["/usr/bin/printf", "a,b", "c"], True),
        ('/usr/bin/id ""', ["/usr/bin/id"], True),
        ("/usr/bin/id", ["/usr/bin/id"], False),
        ("/usr/bin/id -u", ["/usr/bin/id"], False),
        ("/usr/bin/id -u", ["/usr/bin/id", "-g"], False),
        ("sha256:01 /usr/bin/id -u", ["/usr/bin/id", "-u"], True),
    ],
)
def test_a_rule_is_one_command_or_another(command: str, wanted: list[str], same: bool) -> None:
    assert SudoRule.is_exactly(command, wanted) is same
