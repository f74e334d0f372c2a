from __future__ import annotations

import pytest

from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.archives.name_table import NameTable

CASE = "its name differs from another in case alone"
KIND = "a file and a directory of the same name"
TWICE = "its name occurs twice"


def judged(*names: str) -> list[str | None]:
    members = [
        ArchiveMember(
            index,
            name.removesuffix("@"),
            is_directory=name.endswith("/"),
            refusal=MemberRefusal.SYMLINK if name.endswith("@") else None,
        )
        for index, name in enumerate(names)
    ]
    table = NameTable(members, max_names=100)
    found = [table.refusal_of(member) for member in members]
    return [None if each is None else str(each) for each in found]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b", "d/", "d/a", "e/f/g"], [None] * 5),
        (["d/", "d/", "./d/", "./"], [None] * 4),
        (["a", "a", "b"], [TWICE, TWICE, None]),
        (["a", "./a"], [TWICE, TWICE]),
        (["a", "A", "b"], [CASE, CASE, None]),
        (["d/a", "D/b", "e/a"], [CASE, CASE, None]),
        (["d/", "D/x", "d/y"], [CASE, CASE, CASE]),
        (["straße", "STRASSE"], [CASE, CASE]),
        (["\xe9", "e\u0301"], [CASE, CASE]),
        (["a", "a/b"], [KIND, KIND]),
        (["a/b/c", "a"], [KIND, KIND]),
        (["a", "a/", "b"], [KIND, KIND, None]),
        # What somebody else would make a link of.
        (["a@", "a"], [TWICE, TWICE]),
        (["a@", "a/b"], [KIND, KIND]),
    ],
)
def test_what_is_in_anothers_way(names: list[str], expected: list[str | None]) -> None:
    assert judged(*names) == expected
    assert judged(*reversed(names)) == list(reversed(expected))


def test_a_name_that_is_refused_for_itself_is_in_nobodys_way() -> None:
    bad = ArchiveMember(0, "a", refusal=MemberRefusal.RENAMED)
    good = ArchiveMember(1, "a")
    assert NameTable([bad, good], max_names=10).refusal_of(good) is None


def test_directories_above_count_as_names() -> None:
    assert not NameTable([ArchiveMember(0, "a/b/c")], max_names=3).is_full
    assert NameTable([ArchiveMember(0, "a/b/c/d")], max_names=3).is_full
