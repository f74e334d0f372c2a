from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.tool_error import ToolError
from mcp_server.tools.modules import text_edits
from mcp_server.tools.modules.text_edits import apply_edits, unified_diff


@pytest.mark.parametrize(
    ("text", "old", "new", "after"),
    [
        ("a\nb\na\n", "a", "x", "x\nb\na\n"),
        ("a\r\nb\r\n", "a\nb", "c\nd", "c\r\nd\r\n"),
        ("a\r\nb\r\n", "a\r\nb", "c", "c\r\n"),
        ("a\r\nb\nc", "b\nc", "d", "a\r\nd"),
        ("  a\n    b\n", "a\n  b", "x\n  y", "  x\n    y\n"),
        ("\tif a:\n\t\tb\n", "if a:\n\tb", "if c:\n\td\n\n\te", "\tif c:\n\t\td\n\n\t\te\n"),
        ("\told()\n", "  old()\n", "  new()\n  more()\n", "\tnew()\n\tmore()\n"),
        ("a  \nb\n", "a\nb", "c", "c\n"),
        ("x $1 y", "x", "\\g<0>", "\\g<0> $1 y"),
    ],
)
def test_edits(text: str, old: str, new: str, after: str) -> None:
    assert apply_edits(text, [(old, new)]) == after


def test_edits_follow_each_other() -> None:
    assert apply_edits("a", [("a", "b"), ("b", "c")]) == "c"


@pytest.mark.parametrize("old", ["", "missing", "a\nc", "b\na"])
def test_edits_that_cannot_be_made(old: str) -> None:
    with pytest.raises(ToolError):
        apply_edits("a\nb\n", [("a", "x"), (old, "y")])


def applied(diff: str, before: str) -> str:
    """Return what `patch` would make of it."""
    lines = before.splitlines(keepends=True)
    result: list[str] = []
    at = 0
    body = diff.split("\n", 3)[3].rsplit("\n", 1)[0].split("\n") if diff.count("\n") > 3 else []
    for line in body:
        if line.startswith("@@"):
            start, _, count = line.split(" ")[1][1:].partition(",")
            wanted = int(start) - (0 if count == "0" else 1)
            result.extend(lines[at:wanted])
            at = wanted
        elif line.startswith("\\"):
            result[-1] = result[-1].removesuffix("\n") if result else ""
        elif line[:1] in (" ", "-"):
            assert lines[at].rstrip("\n") == line[1:]
            if line[0] == " ":
                result.append(lines[at])
            at += 1
        elif line.startswith("+"):
            result.append(line[1:] + "\n")
    return "".join(result + lines[at:])


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30).map(lambda lines: "".join(f"{x}\n" for x in lines))


@settings(max_examples=300, deadline=None)
@given(LINES, LINES)
def test_a_diff_leads_from_one_to_the_other(before: str, after: str) -> None:
    assert applied(unified_diff(before, after, "x"), before) == after


def test_a_long_difference_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_edits, "MAX_COMPARED_LINES", 2)
    before, after = "same\n1\n2\n3\nend\n", "same\n4\n5\n6\n7\nend\n"
    diff = unified_diff(before, after, "x")
    assert "@@ -2,3 +2,4 @@" in diff
    assert applied(diff, before) == after


def test_the_fence_is_longer_than_any_inside() -> None:
    diff = unified_diff("````\n", "```\n", "x")
    assert diff.startswith("`````diff\n")
    assert diff.endswith("\n`````")


def test_a_missing_last_newline_is_said() -> None:
    assert "\\ No newline at end of file" in unified_diff("a", "b", "x")
