from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_comparison import PolicyComparison

Parse = Callable[[str], Policy]
ADA = """
[client.ada]
folders = ["Notes"]
allow = ["FILE_READ **", "FILE_WRITE drafts/**", "CUSTOM_X a*"]
ask = ["FILE_WRITE **/*.md"]
deny = ["FILE_READ private/**"]
"""
GRANT = '[[client.ada.grant]]\nallow = "FILE_DELETE *.tmp"\nexpires = 2030-01-02T00:00:00Z\nmax_uses = 3\n'
FULL = (
    ADA + '[client.ada.limits]\ncalls_per_minute = 60\n[ceiling]\nallow = ["FILE_READ", "FILE_WRITE", "FILE_DELETE", '
    '"CUSTOM_X"]\ndeny = ["FILE_READ **/*.key"]\n[default_deny]\nextra = ["FILE_READ **/*.pem"]\n'
    '[scope.all]\nallow = ["FILE_READ **"]\n[sandbox]\nmin_tier = "full"\n[sandbox.limits]\nprocesses = 10\n'
    '[program.ls]\npath = "/usr/bin/ls"\narguments = ["-l"]\n[module.notes]\nisolation = "process"\n'
)


def told(old: Policy, new: Policy) -> list[tuple[str, str]]:
    return [("+" if each.widens else "-", each.where) for each in PolicyComparison(old, new).changes()]


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ('"CUSTOM_X a*"', '"CUSTOM_X *"', "ada.allow[2]"),
        ('"FILE_WRITE drafts/**"', '"FILE_WRITE **"', "ada.allow[1]"),
        ('"FILE_READ **", "FILE_WRITE', '"FILE_READ **", "DIRECTORY_LIST **", "FILE_WRITE', "ada.allow[1]"),
        ('deny = ["FILE_READ private/**"]', 'deny = ["FILE_READ private/*"]', "ada.deny[0]"),
        ("calls_per_minute = 60", "calls_per_minute = 61", "client.ada.limits.calls_per_minute"),
        ('folders = ["Notes"]', 'folders = ["Notes", "Shared"]', "client.ada.folders"),
        ('deny = ["FILE_READ **/*.key"]', "", "ceiling.deny[0]"),
        ('"FILE_DELETE", "CUSTOM_X"]', '"FILE_DELETE", "CUSTOM_X", "CUSTOM_Y"]', "ceiling.allow[4]"),
        ('extra = ["FILE_READ **/*.pem"]', "", "default_deny.extra[0]"),
        ('[scope.all]\nallow = ["FILE_READ **"]', '[scope.all]\nallow = ["FILE_READ **", "CUSTOM_X"]', "scope.all"),
        ('min_tier = "full"', 'min_tier = "ns"', "sandbox.min_tier"),
        ("processes = 10", "processes = 11", "sandbox.limits.processes"),
        ('arguments = ["-l"]', 'arguments = ["-a"]', "sandbox.programs.ls"),
        ('[module.notes]\nisolation = "process"', "", "module.notes.isolation"),
        ('folders = ["Notes"]', 'folders = ["Notes"]\nglobal_folders = ["Shared"]', "client.ada.global_folders"),
    ],
)  # fmt: skip
def test_what_widens_is_named_and_narrows_on_the_way_back(parse: Parse, before: str, after: str, where: str) -> None:
    assert FULL.count(before) == 1
    old, new = parse(FULL), parse(FULL.replace(before, after))
    assert told(old, old) == []
    assert ("+", where) in told(old, new)
    back = told(new, old)
    if where != "sandbox.programs.ls":
        assert all(change == "-" for change, _ in back), back
        assert ("-", where) in back


def test_who_is_asked_no_more_may_more_and_less(parse: Parse) -> None:
    new = FULL.replace('ask = ["FILE_WRITE **/*.md"]', "ask = []")
    # In drafts nobody is asked any more; elsewhere nobody grants it any more.
    assert told(parse(FULL), parse(new)) == [("+", "ada.ask[0]"), ("-", "ada.ask[0]")]
    wider = FULL.replace('ask = ["FILE_WRITE **/*.md"]', 'ask = ["FILE_WRITE **"]')
    assert told(parse(FULL), parse(wider))[0] == ("+", "ada.ask[0]")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"CUSTOM_X a*"', '"CUSTOM_X ab*"'),
        ('"FILE_WRITE drafts/**"', '"FILE_WRITE drafts/*"'),
        ('deny = ["FILE_READ private/**"]', 'deny = ["FILE_READ private/**", "FILE_READ a"]'),
        ('deny = ["FILE_READ private/**"]', 'deny = ["FILE_READ **/private/**"]'),
        # A right that is denied everywhere is no right.
        ('allow = ["FILE_READ **", "FILE_W', 'allow = ["FILE_READ **", "FILE_READ private/x", "FILE_W'),
        # Nothing is granted there, so that nothing is lost with the denial.
        ('deny = ["FILE_READ private/**"]', 'deny = ["FILE_READ private/**", "CUSTOM_X b"]'),
    ],
)
def test_what_says_less_or_the_same_widens_nothing(parse: Parse, before: str, after: str) -> None:
    old, new = parse(FULL), parse(FULL.replace(before, after))
    assert not any(change.widens for change in PolicyComparison(old, new).changes())


def test_a_denial_of_what_nobody_grants_can_go(parse: Parse) -> None:
    old = parse(ADA.replace('"FILE_READ private/**"', '"FILE_READ private/**", "CUSTOM_X b"'))
    assert told(old, parse(ADA)) == []
    # The control: of what somebody grants it cannot.
    old = parse(ADA.replace('"FILE_READ private/**"', '"FILE_READ private/**", "CUSTOM_X ab"'))
    assert told(old, parse(ADA)) == [("+", "ada.deny[1]")]


@pytest.mark.parametrize(
    ("before", "after", "widens"),
    [
        ("2030-01-02", "2030-01-03", True),
        ("2030-01-02", "2030-01-01", True),  # another count, which begins anew
        ("max_uses = 3", "max_uses = 4", True),
        ("max_uses = 3", "max_uses = 2", False),
        ("expires = 2030-01-02T00:00:00Z\n", "", True),
        ("max_uses = 3\n", "", True),
        ("*.tmp", "*", True),
    ],
)
def test_limits_are_compared(parse: Parse, before: str, after: str, widens: bool) -> None:
    old, new = parse(ADA + GRANT), parse(ADA + GRANT.replace(before, after))
    assert told(old, old) == []
    assert (("+", "ada.grant[0]") in told(old, new)) is widens
    assert told(parse(ADA), old) == [("+", "ada.grant[0]")]


def test_a_shorter_time_without_a_count_narrows(parse: Parse) -> None:
    timed = ADA + GRANT.replace("max_uses = 3\n", "")
    assert told(parse(timed), parse(timed.replace("2030-01-02", "2030-01-01"))) == [("-", "ada.grant[0]")]


def test_a_client_that_is_new_widens_and_one_that_is_gone_narrows(parse: Parse) -> None:
    old, new = parse(ADA), parse(ADA + "[client.eve]\n")
    assert ("+", "client.eve") in told(old, new)
    assert {change for change, _ in told(new, old)} == {"-"}


def test_a_folder_that_changes_its_kind_widens(parse: Parse, home: Path) -> None:
    (home / "Notes" / "global").mkdir()
    text = '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_WRITE **"]\n'
    inner = text + 'global_folders = ["Notes/global"]\n'
    # What is in it took FILE_WRITE_GLOBAL, and takes FILE_WRITE now.
    assert ("+", "client.ada.global_folders") in told(parse(inner), parse(text))
    assert ("+", "client.ada.global_folders") in told(parse(text), parse(inner))


def test_a_change_says_what_and_where(parse: Parse) -> None:
    (change,) = PolicyComparison(parse(ADA), parse(ADA.replace("CUSTOM_X a*", "CUSTOM_X *"))).changes()[:1]
    assert (change.widens, change.where, change.text, change.line) == (True, "ada.allow[2]", "CUSTOM_X *", 5)
    assert "no rule granted" in change.reason
