from __future__ import annotations

from collections.abc import Callable

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_section import MAX_GRANTS
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy

Parse = Callable[[str], Policy]
ADA = '[client.ada]\nfolders = ["Notes"]\nallow = ["FILE_READ *.md"]\n'
GRANT = (
    '[[client.ada.grant]]\nallow = "FILE_WRITE drafts/**"\n'
    "not_before = 2030-01-01T08:00:00Z\nexpires = 2030-01-02T08:00:00+02:00\nmax_uses = 5\n"
)


def test_a_grant_is_a_rule_with_limits(parse: Parse) -> None:
    profile = parse(ADA + GRANT + '[[client.ada.grant]]\nask = "FILE_DELETE **"\nmax_uses = 1\n').clients["ada"]
    first, second = profile.grants
    assert (first.id, first.effect, first.text, first.line) == (
        "ada.grant[0]",
        Effect.ALLOW,
        "FILE_WRITE drafts/**",
        6,
    )
    assert first.limits is not None
    assert (first.limits.not_before, first.limits.expires, first.limits.max_uses) == (1893484800.0, 1893564000.0, 5)
    assert (second.id, second.effect, second.line) == ("ada.grant[1]", Effect.ASK, 11)
    assert profile.granting == (*profile.rules.allow, first, second)


@pytest.mark.parametrize(
    ("grant", "line", "message"),
    [
        ('allow = "FILE_WRITE **"', 5, "has no limit"),
        ("max_uses = 1", 5, "one of 'allow' and 'ask'"),
        ('allow = "FILE_WRITE **"\nask = "FILE_DELETE **"\nmax_uses = 1', 5, "one of 'allow' and 'ask'"),
        ('deny = "FILE_WRITE **"\nmax_uses = 1', 6, "a denial has no end"),
        ('allow = ["FILE_WRITE **"]\nmax_uses = 1', 6, "must be a text"),
        ('allow = "FILE_WRIT **"\nmax_uses = 1', 6, "did you mean 'FILE_WRITE'"),
        ('allow = "FILE_WRITE /etc/**"\nmax_uses = 1', 6, "can never match"),
        ('allow = "FILE_WRITE **"\nmax_use = 1', 7, "did you mean 'max_uses'"),
        ('allow = "FILE_WRITE **"\nmax_uses = 0', 7, "from 1 to 1000000"),
        ('allow = "FILE_WRITE **"\nmax_uses = true', 7, "a whole number"),
        ('allow = "FILE_WRITE **"\nexpires = 2030-01-01T08:00:00', 7, "with its zone"),
        ('allow = "FILE_WRITE **"\nexpires = 2030-01-01', 7, "with its zone"),
        ('allow = "FILE_WRITE **"\nexpires = "2030-01-01T08:00:00Z"', 7, "with its zone"),
        (
            'allow = "FILE_WRITE **"\nexpires = 2030-01-01T08:00:00Z\nnot_before = 2030-01-01T08:00:00Z',
            7,
            "can never hold",
        ),
        ('allow = "FILE_WRITE **"\nexpires = 0001-01-01T00:00:00+14:00', 7, "between the years"),
        ('allow = "FILE_WRITE **"\nnot_before = 9999-12-31T23:59:59-14:00', 7, "between the years"),
        ('allow = "FILE_READ *.md"\nmax_uses = 1', 6, "without a limit as ada.allow"),
    ],
)
def test_a_grant_that_says_something_else_is_refused_with_its_line(
    parse: Parse, grant: str, line: int, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(ADA + "[[client.ada.grant]]\n" + grant)
    assert caught.value.line == line


def test_grants_must_be_a_list_of_tables(parse: Parse) -> None:
    with pytest.raises(ConfigurationError, match="list of tables"):
        parse(ADA + '[client.ada.grant]\nallow = "FILE_WRITE **"\nmax_uses = 1\n')
    with pytest.raises(ConfigurationError, match="must be a table"):
        parse(ADA + 'grant = ["FILE_WRITE **"]\n')


def test_the_same_grant_for_other_times_is_another_one(parse: Parse) -> None:
    later = GRANT.replace("2030", "2031")
    assert len(parse(ADA + GRANT + later).clients["ada"].grants) == 2
    for same in (GRANT, GRANT.replace("max_uses = 5", "max_uses = 6")):
        with pytest.raises(ConfigurationError, match=r"granted twice, first as ada\.grant\[0\]"):
            parse(ADA + GRANT + same)


def test_there_are_so_many_grants_and_no_more(parse: Parse) -> None:
    def grants(number: int) -> str:
        return ADA + "".join(f'[[client.ada.grant]]\nallow = "FILE_WRITE {at}"\nmax_uses = 1\n' for at in range(number))

    assert len(parse(grants(MAX_GRANTS)).clients["ada"].grants) == MAX_GRANTS
    with pytest.raises(ConfigurationError, match="more than 256 grants"):
        parse(grants(MAX_GRANTS + 1))


def test_uses_are_counted_for_the_grant_wherever_it_stands(parse: Parse) -> None:
    def key(text: str, at: int = 0) -> str:
        limits = parse(text).clients["ada"].grants[at].limits
        assert limits is not None
        return limits.key

    same = key(ADA + GRANT)
    assert key(ADA + GRANT.replace("2030", "2031") + GRANT, 1) == same
    assert key(ADA + GRANT.replace("max_uses = 5", "max_uses = 50")) == same
    others = [
        GRANT.replace("drafts", "draft"),
        GRANT.replace("allow =", "ask ="),
        GRANT.replace("FILE_WRITE", "FILE_READ"),
        GRANT.replace("2030-01-01", "2029-01-01"),
        GRANT.replace("2030-01-02", "2031-01-02"),
    ]
    assert len({same, *(key(ADA + each) for each in others)}) == 6


def test_a_grant_is_a_part_of_the_policys_digest(parse: Parse) -> None:
    texts = (ADA, ADA + GRANT, ADA + GRANT.replace("= 5", "= 6"), ADA + GRANT.replace("allow =", "ask ="))
    assert len({parse(text).digest for text in texts}) == 4


def test_what_is_granted_for_a_time_counts_as_granted_where_that_is_asked(parse: Parse) -> None:
    policy = parse(ADA + '[[client.ada.grant]]\nask = "CODE_EXECUTION python"\nmax_uses = 1\n')
    assert policy.grants(PermissionType.CODE_EXECUTION)
    assert not policy.grants(PermissionType.SYSTEM_COMMAND)
    assert policy.edges == ()
    assert parse(ADA + GRANT).edges == (1893484800.0, 1893564000.0)


def test_root_is_granted_by_name_and_only_where_it_is_switched_on(parse: Parse) -> None:
    grant = '[[client.ada.grant]]\nallow = "CODE_EXECUTION_SUDO restart"\nmax_uses = 1\n'
    with pytest.raises(ConfigurationError, match="enabled = true"):
        parse(ADA + grant)
