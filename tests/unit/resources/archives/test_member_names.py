from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.member_names import decoded, parts_of_name, refusal_of_name

LIMITS = ArchiveLimits()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a",)),
        ("a/b.txt", ("a", "b.txt")),
        ("a/", ("a",)),
        ("./a", ("a",)),
        ("./", ()),
        (".", ()),
        (".hidden", (".hidden",)),
        ("..a/b..", ("..a", "b..")),
        ("ü/日本", ("ü", "日本")),
        ("~/a", ("~", "a")),
        ("a b/$HOME", ("a b", "$HOME")),
        ("x" * 255, ("x" * 255,)),
    ],
)
def test_plain_names(name: str, parts: tuple[str, ...]) -> None:
    assert refusal_of_name(name, LIMITS) is None
    assert parts_of_name(name) == parts


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/etc/passwd", "absolute name"),
        ("/", "absolute name"),
        ("//a", "absolute name"),
        ("../a", "a name that leads upwards"),
        ("a/../b", "a name that leads upwards"),
        ("a/..", "a name that leads upwards"),
        ("..", "a name that leads upwards"),
        ("..\\a", "a name that leads upwards"),
        ("a\\..\\..\\b", "a name that leads upwards"),
        ("C:/a", "a name with a drive letter"),
        ("c:a", "a name with a drive letter"),
        ("a\\b", "a name with a backslash"),
        ("a\0b", "a name with characters that do not show"),
        ("a\nb", "a name with characters that do not show"),
        ("a\x1b[2Jb", "a name with characters that do not show"),
        ("a\u202eb", "a name with characters that do not show"),
        ("a\udcffb", "a name that is not UTF-8"),
        ("x" * 256, "a name that is too long"),
        ("ü" * 128, "a name that is too long"),
        ("/".join("x" * 200 for _ in range(6)), "a name that is too long"),
        ("/".join("x" * 33), "too deep"),
        ("", "an unusual name"),
        ("a//b", "an unusual name"),
        ("a/./b", "an unusual name"),
        ("././a", "an unusual name"),
        ("a//", "an unusual name"),
        ("a/.", "an unusual name"),
    ],
)
def test_others_are_refused(name: str, told: str) -> None:
    assert str(refusal_of_name(name, LIMITS)) == told


@given(
    st.text(max_size=60)
    | st.text("./\\a:", max_size=20)
    | st.binary(max_size=40).map(lambda data: decoded(data, LIMITS))
)
def test_a_plain_name_leads_to_where_it_says(name: str) -> None:
    if refusal_of_name(name, LIMITS) is None:
        place = os.path.join("/destination", *parts_of_name(name))
        assert os.path.normpath(f"/destination/{name}") == place
        assert f"{place}/".startswith("/destination/")
