from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.archive_plan import ArchivePlan
from mcp_server.resources.archives.member_refusal import MemberRefusal


class Reader:
    """Yields what it is given, and raises where it is an error."""

    def __init__(self, *found: ArchiveMember | Exception) -> None:
        self._found = found

    def members(
        self, budget: ArchiveBudget, wanted: Collection[int] = ()
    ) -> Iterator[tuple[ArchiveMember, bytes | None]]:
        for each in self._found:
            if isinstance(each, Exception):
                raise each
            yield each, None


def plan(*found: ArchiveMember | Exception, **limits: int) -> ArchivePlan:
    return ArchivePlan.of(Reader(*found), ArchiveBudget(ArchiveLimits(**limits)))


def test_members_and_the_directories_they_need() -> None:
    found = plan(
        ArchiveMember(0, "d/e/a", 1),
        ArchiveMember(1, "b", 2),
        ArchiveMember(2, "f/", is_directory=True),
        ArchiveMember(3, "g/l", refusal=MemberRefusal.SYMLINK),
    )
    assert [member.name for member in found.accepted] == ["d/e/a", "b", "f/"]
    assert found.directories == (("d",), ("d", "e"), ("f",))
    assert found.stopped is None


@pytest.mark.parametrize("error", [LimitExceededError("x", "too much"), ResourceUnavailableError("io", "too much")])
def test_of_what_is_not_seen_whole_nothing_is_accepted(error: Exception) -> None:
    found = plan(ArchiveMember(0, "a"), ArchiveMember(1, "l", refusal=MemberRefusal.SYMLINK), error)
    assert found.stopped == "too much"
    assert [str(member.refusal) for member in found.members] == [
        "the archive cannot be read to its end",
        "symbolic link",
    ]
    with pytest.raises(type(error)):
        plan(error)


def test_too_many_directories_are_as_bad_as_too_many_files() -> None:
    deep = "/".join("abcdefgh")
    found = plan(ArchiveMember(0, deep), max_members=7)
    assert found.stopped is not None
    assert "7 files and directories" in found.stopped
    assert found.accepted == ()
    assert plan(ArchiveMember(0, deep), max_members=8).accepted


def test_a_reason_of_its_own_comes_before_that_of_the_others() -> None:
    found = plan(ArchiveMember(0, "a", refusal=MemberRefusal.HARD_LINK), ArchiveMember(1, "a"))
    assert [member.refusal for member in found.members] == [MemberRefusal.HARD_LINK, MemberRefusal.DUPLICATE]


def test_nothing_in_it_is_nothing_to_do() -> None:
    assert plan() == ArchivePlan(())
