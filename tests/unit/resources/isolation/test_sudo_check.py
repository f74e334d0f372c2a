from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.sudo_check import SudoCheck
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.isolation.sudo_diagnosis import SudoDiagnosis

RESTART = RootAction("restart", "/usr/bin/systemctl", ArgumentForm("restart {unit:nginx|redis}"))
COUNT = RootAction("count", "/usr/bin/seq", ArgumentForm("{n:int}"))
NS = IsolationTier.NS


def entry(*commands: str, options: str = "!authenticate", users: str = "root", timeout: bool = True) -> str:
    lines = ["Sudoers entry:", f"    RunAsUsers: {users}", f"    Options: {options}"]
    lines += ["    Timeout: 60"] if timeout else []
    return "\n".join([*lines, "    Commands:", *(f"\t{each}" for each in commands)]) + "\n"


GOOD = entry("/usr/bin/systemctl restart nginx", "/usr/bin/systemctl restart redis")


def examine(
    listing: str = GOOD,
    *actions: RootAction,
    version: str = "Sudo version 1.9.17p2",
    refused: Sequence[str] = (),
    asked: list[Sequence[str]] | None = None,
    **more: Any,
) -> SudoDiagnosis:
    def ask(command: Sequence[str]) -> tuple[int, str]:
        if asked is not None:
            asked.append(command)
        if "-V" in command:
            return (0, f"{version}\nmore\n")
        if "--" in command:
            return (int(" ".join(command[4:]) in refused), "")
        return (0 if listing else 1, listing)

    config = SudoConfig(is_enabled=True, actions={each.name: each for each in actions or (RESTART,)})
    settings: dict[str, Any] = {"config": config, "tier": NS, "user": 1000, "trust": lambda path: None, **more}
    return SudoCheck(ask=ask, **settings).examine()


def test_a_machine_that_is_set_up_as_it_should_be_has_nothing_to_be_told() -> None:
    assert examine() == SudoDiagnosis()


def test_every_command_that_an_action_can_be_is_asked_about_and_none_is_run() -> None:
    asked: list[Sequence[str]] = []
    examine(asked=asked)
    assert [list(each[1:]) for each in asked] == [
        ["-n", "-l", "-l"],
        ["-n", "-l", "--", "/usr/bin/systemctl", "restart", "nginx"],
        ["-n", "-l", "--", "/usr/bin/systemctl", "restart", "redis"],
        ["-V"],
    ]


@pytest.mark.parametrize(
    ("listing", "told"),
    [
        (GOOD + entry("/usr/bin/id -u"), "belongs to no action"),
        (GOOD + entry("/usr/bin/systemctl stop nginx"), "belongs to no action"),
        (GOOD + entry("ALL"), "every command"),
        (GOOD + entry("/usr/bin/systemctl restart *"), "wildcard"),
        (GOOD + entry("/usr/bin/vi /etc/hosts"), "run anything"),
        (entry("/usr/bin/systemctl restart nginx", users="ALL"), "as every user"),
        (entry("/usr/bin/systemctl restart nginx", options="setenv, !authenticate"), "take SETENV away"),
        (entry("/usr/bin/systemctl restart nginx", options=""), "no NOPASSWD rule"),
        ("", "no NOPASSWD rule"),
        ("Matching Defaults entries for a on b:\n    mail_badpass,\n    !env_reset\n\n" + GOOD, "!env_reset is set"),
        ("Matching Defaults entries for a on b:\n    setenv, use_pty\n\n" + GOOD, "setenv is set"),
    ],
)
def test_what_is_wrong_with_the_rules_is_told(listing: str, told: str) -> None:
    found = examine(listing)
    assert not found.holds
    assert any(told in problem for problem in found.problems), found


def test_a_rule_with_a_password_is_nobody_elses_business() -> None:
    assert examine(GOOD + entry("ALL", options="", users="ALL")) == SudoDiagnosis()


def test_what_sudo_does_not_let_pass_is_told() -> None:
    found = examine(refused=["/usr/bin/systemctl restart redis"])
    assert found.problems == ("the action 'restart': sudo does not let /usr/bin/systemctl restart redis be run",)


def test_an_expression_covers_what_no_list_could() -> None:
    assert examine(entry("/usr/bin/seq ^[0-9]{1\\,3}$"), COUNT).holds
    assert not examine(entry("/usr/bin/seq ^.*$"), COUNT).holds


def test_what_others_can_change_is_told() -> None:
    found = examine(trust=lambda path: f"{path} can be written by others" if path == RESTART.program else None)
    assert found.problems == ("the action 'restart': /usr/bin/systemctl can be written by others",)


@pytest.mark.parametrize(
    ("version", "flaws"),
    [
        ("Sudo version 1.8.7", []),
        ("Sudo version 1.8.8", ["CVE-2025-32462"]),
        ("Sudo version 1.9.13p3", ["CVE-2025-32462"]),
        ("Sudo version 1.9.14", ["CVE-2025-32463", "CVE-2025-32462"]),
        ("Sudo version 1.9.17", ["CVE-2025-32463", "CVE-2025-32462"]),
        ("Sudo version 1.9.17p1", []),
        ("Sudo version 1.10", []),
        ("Sudo version 2.0.0", []),
    ],
)
def test_versions_with_known_flaws_are_told(version: str, flaws: list[str]) -> None:
    found = examine(version=version)
    assert [word for warning in found.warnings for word in warning.replace(",", "").split() if "CVE" in word] == flaws
    # A distribution mends it under the same number, so this alone is no failure.
    assert found.holds


def test_a_program_that_is_another_sudo_is_told() -> None:
    assert "'sudo-rs 0.2.5'" in examine(version="sudo-rs 0.2.5").warnings[0]


def test_a_rule_without_a_time_limit_of_its_own_is_told() -> None:
    (warning,) = examine(entry("/usr/bin/systemctl ^restart (nginx|redis)$", timeout=False)).warnings
    assert "TIMEOUT=" in warning


def test_root_without_a_password_is_told_where_the_sandbox_is_weak_whatever_the_policy_says() -> None:
    for config in (SudoConfig(), SudoConfig(is_enabled=True, actions={"restart": RESTART})):
        found = examine(tier=IsolationTier.LSM, config=config)
        assert any("without a password, and the tier is 'lsm'" in problem for problem in found.problems)
    assert examine(entry("ALL", options=""), tier=IsolationTier.LSM, config=SudoConfig()).holds


@pytest.mark.parametrize("tier", [IsolationTier.LSM, IsolationTier.NONE])
def test_a_weak_tier_is_told(tier: IsolationTier) -> None:
    assert any("they need tier 'ns'" in problem for problem in examine(tier=tier).problems)


def test_a_server_of_roots_is_told_and_sudo_is_not_asked() -> None:
    asked: list[Sequence[str]] = []
    (problem,) = examine(user=0, asked=asked).problems
    assert "run it as an ordinary user" in problem
    assert asked == []
    assert examine(user=0, config=SudoConfig()).holds


def test_a_sudo_that_others_can_change_is_not_asked() -> None:
    asked: list[Sequence[str]] = []
    assert examine(asked=asked, trust=lambda path: "it is not root's").problems == ("it is not root's",)
    assert asked == []
    assert examine(trust=lambda path: "there is none", config=SudoConfig()).holds


def test_a_policy_without_root_actions_has_nothing_to_be_told() -> None:
    assert examine(config=SudoConfig()) == SudoDiagnosis()


def test_a_program_that_is_not_there_says_nothing() -> None:
    found = SudoCheck(
        config=SudoConfig(is_enabled=True, actions={"restart": RESTART}),
        tier=NS,
        user=1000,
        trust=lambda path: None,
        sudo="/nonexistent/sudo",
    ).examine()
    assert [problem for problem in found.problems if "no NOPASSWD rule" in problem]
    assert "tells no version" in found.warnings[0]
