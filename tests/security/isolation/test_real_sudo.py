"""Root actions with the machine's own sudo: what an unprivileged server gets done, and what it can end.

Only root can write the rules, so these run where the tests run as root and sudo is installed; the server that is looked
at runs as nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.real_sudo import NOBODY, RealSudo

RULES = (
    '(root) NOPASSWD: /usr/bin/id -u, /usr/bin/printenv "", /usr/bin/readlink /proc/self/fd/0 /proc/self/cwd',
    '(root) NOPASSWD: /usr/bin/echo a\\,b c\\=d, /usr/bin/sleep 60, /usr/bin/yes "", {stubborn} ""',
    '(root) /usr/bin/whoami ""',
    "(root) TIMEOUT=1 NOPASSWD: /usr/bin/sleep 61",
)


@pytest.fixture
def sudo() -> Iterator[RealSudo]:
    found = RealSudo(RULES)
    yield found
    found.close()


@pytest.fixture
def group() -> Iterator[str]:
    """A control group that belongs to nobody, as one that systemd delegates."""
    place = f"{RealSudo.group_place()}/mcp-server-test-{os.getpid()}"
    for each in (place, f"{place}/own"):
        os.mkdir(each)
        for name in (each, f"{each}/cgroup.procs"):
            os.chown(name, NOBODY, NOBODY)
    yield place
    os.rmdir(f"{place}/own")
    os.rmdir(place)


def do(sudo: RealSudo, action: dict[str, Any], *, cancel: float | None = None, group: str | None = None) -> Any:
    return sudo.serve({"act": action}, [["act", {}, cancel]], group=group)["calls"][0]


if RealSudo.is_there():

    def test_the_rules_are_taken_away_again() -> None:
        # What a test leaves behind here would be a hole in the machine.
        RealSudo(RULES).close()
        assert [name for name in os.listdir("/etc/sudoers.d") if "mcp_server" in name] == []

    def test_what_the_rules_let_pass_is_done_as_root(sudo: RealSudo) -> None:
        found = do(sudo, {"program": "/usr/bin/id", "arguments": "-u"})
        assert (found["reason"], found["exit_code"], found["stdout"]) == ("exit", 0, "0\n")

    def test_arguments_arrive_as_they_are(sudo: RealSudo) -> None:
        assert do(sudo, {"program": "/usr/bin/echo", "arguments": "a,b c=d"})["stdout"] == "a,b c=d\n"

    def test_nothing_of_the_server_arrives_with_them(sudo: RealSudo) -> None:
        variables = do(sudo, {"program": "/usr/bin/printenv"})["stdout"].splitlines()
        names = {line.partition("=")[0] for line in variables}
        assert names <= {"PATH", "MAIL", "LOGNAME", "USER", "HOME", "SHELL", "TERM", "LANG"} | {
            each for each in names if each.startswith("SUDO_")
        }
        where = do(sudo, {"program": "/usr/bin/readlink", "arguments": "/proc/self/fd/0 /proc/self/cwd"})["stdout"]
        assert where.splitlines() == ["/dev/null", "/"]

    @pytest.mark.parametrize(
        ("program", "arguments"),
        [
            ("/usr/bin/id", "-g"),
            ("/usr/bin/id", ""),
            ("/usr/bin/id", "-u -n"),
            ("/usr/bin/sleep", "6"),
            ("/bin/sh", "-c id"),
        ],
    )
    def test_what_they_do_not_let_pass_is_not(sudo: RealSudo, program: str, arguments: str) -> None:
        assert "does not let" in do(sudo, {"program": program, "arguments": arguments})["error"]

    def test_what_wants_a_password_is_not(sudo: RealSudo) -> None:
        # sudo says yes to the question: a password is another matter to it.
        assert "wants a password" in do(sudo, {"program": "/usr/bin/whoami"})["error"]

    def test_a_program_that_others_can_change_is_not(sudo: RealSudo) -> None:
        sudo.stubborn.chmod(0o775)
        assert "not to be trusted" in do(sudo, {"program": str(sudo.stubborn)})["error"]

    def test_what_takes_too_long_is_ended(sudo: RealSudo) -> None:
        found = do(sudo, {"program": "/usr/bin/sleep", "arguments": "60", "timeout": 0.5})
        assert (found["reason"], found["signal"], found["has_ended"], found["left_running"]) == ("timeout", 15, True, 0)

    def test_what_takes_longer_than_sudoers_lets_it_is_ended_by_sudo(sudo: RealSudo) -> None:
        found = do(sudo, {"program": "/usr/bin/sleep", "arguments": "61"})
        assert (found["reason"], found["has_ended"]) == ("signal", True)

    def test_what_floods_its_output_is_ended(sudo: RealSudo) -> None:
        found = do(sudo, {"program": "/usr/bin/yes"})
        assert (found["reason"], found["has_ended"], found["left_running"]) == ("output", True, 0)

    def test_who_takes_it_back_ends_it(sudo: RealSudo) -> None:
        assert do(sudo, {"program": "/usr/bin/sleep", "arguments": "60"}, cancel=0.3) == {"cancelled": True}

    def test_what_does_not_want_to_end_is_ended_by_sudo_and_its_children_are_told_of(sudo: RealSudo) -> None:
        found = do(sudo, {"program": str(sudo.stubborn), "timeout": 0.5})
        assert (found["reason"], found["signal"], found["has_ended"]) == ("timeout", 9, True)
        # An unprivileged server cannot end them; it does not say that it could.
        assert found["left_running"] == len(sudo.left()) > 0

    def test_the_check_tells_what_these_rules_are(sudo: RealSudo) -> None:
        actions = {
            "id": {"program": "/usr/bin/id", "arguments": "-u"},
            "gid": {"program": "/usr/bin/id", "arguments": "-g"},
            "who": {"program": "/usr/bin/whoami"},
        }
        found = sudo.serve(actions, [])
        problems = "\n".join(found["problems"])
        assert "the action 'gid': sudo does not let /usr/bin/id -g be run" in problems
        assert "the action 'who': sudoers has no NOPASSWD rule for /usr/bin/whoami" in problems
        assert "'/usr/bin/sleep 60' belongs to no action" in problems
        assert "'id'" not in problems
        assert any("'/usr/bin/id -u' has no TIMEOUT=" in warning for warning in found["warnings"])

    if RealSudo.group_place() is not None:

        def test_a_control_group_ends_its_children_too(sudo: RealSudo, group: str) -> None:
            found = do(sudo, {"program": str(sudo.stubborn), "timeout": 0.5}, group=group)
            assert (found["reason"], found["has_ended"], found["left_running"]) == ("timeout", True, 0)
            assert sudo.left() == []
